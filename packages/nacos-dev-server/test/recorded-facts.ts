import type { DialectName } from '../src/index.js'
import { instance, named } from './peer.js'

/** What a real server of each release answered, checked field by field, in our own words and with our own names. */
export interface RecordedFact {
  readonly name: string
  readonly ask: readonly [type: string, body: object | string]
  readonly answers: Readonly<Record<DialectName, readonly [type: string, body: object]>>
}

const all = (type: string, body: object): RecordedFact['answers'] => ({
  '3.1.0': [type, body],
  '2.5.0': [type, body],
  '2.2.3': [type, body],
})
const ok = { resultCode: 200, errorCode: 0, success: true }
const refused = (errorCode: number, message: string, resultCode = 500): object => ({
  resultCode,
  errorCode,
  message,
  success: false,
})
const emptyList = (listFlag: string, fields: object = {}): object => ({
  ...ok,
  serviceInfo: {
    name: 'facts',
    groupName: 'DEFAULT_GROUP',
    clusters: '',
    cacheMillis: 10000,
    hosts: [],
    lastRefTime: 0,
    checksum: '',
    [listFlag]: false,
    reachProtectionThreshold: false,
    valid: true,
    ...fields,
  },
})

export const recordedFacts: readonly RecordedFact[] = [
  {
    name: 'health check',
    ask: ['HealthCheckRequest', {}],
    answers: all('HealthCheckResponse', ok),
  },
  {
    name: 'body without requestId and headers',
    ask: ['HealthCheckRequest', '{}'],
    answers: all('HealthCheckResponse', ok),
  },
  {
    name: 'unknown request type',
    ask: ['NoSuchRequest', {}],
    answers: all('ErrorResponse', refused(302, 'RequestHandler Not Found')),
  },
  {
    name: 'body that is no JSON',
    ask: ['ServiceQueryRequest', '{oops'],
    answers: all('ErrorResponse', refused(502, 'errCode: 101, errMsg: Nacos deserialize failed.  ')),
  },
  {
    name: 'query of a service that nobody registered: the list flag has two spellings',
    ask: ['ServiceQueryRequest', named('facts')],
    answers: {
      '3.1.0': ['QueryServiceResponse', emptyList('allIps')],
      '2.5.0': ['QueryServiceResponse', emptyList('allIPs')],
      '2.2.3': ['QueryServiceResponse', emptyList('allIPs')],
    },
  },
  {
    name: 'subscription to a service that nobody registered',
    ask: ['SubscribeServiceRequest', { ...named('facts'), clusters: '', subscribe: true }],
    answers: {
      '3.1.0': ['SubscribeServiceResponse', { ...emptyList('allIps'), message: 'success' }],
      '2.5.0': ['SubscribeServiceResponse', { ...emptyList('allIPs'), message: 'success' }],
      '2.2.3': ['SubscribeServiceResponse', { ...emptyList('allIPs'), message: 'success' }],
    },
  },
  {
    name: 'operation that does not exist',
    ask: ['InstanceRequest', { ...named('facts'), type: 'nonsense', instance: instance(8001) }],
    answers: {
      '3.1.0': ['ErrorResponse', refused(400, 'Unsupported request type nonsense', 400)],
      '2.5.0': ['ErrorResponse', refused(400, 'Unsupported request type nonsense', 400)],
      '2.2.3': ['ErrorResponse', refused(400, 'Unsupported request type nonsense', 500)],
    },
  },
  {
    name: 'port beyond 65535',
    ask: ['InstanceRequest', { ...named('facts'), type: 'registerInstance', instance: instance(70_000) }],
    answers: {
      '3.1.0': [
        'InstanceResponse',
        refused(400, "Param check invalid:Param 'port' is illegal, the value should be between 0 and 65535."),
      ],
      '2.5.0': [
        'InstanceResponse',
        refused(400, "Param check invalid:Param 'port' is illegal, the value should be between 0 and 65535."),
      ],
      '2.2.3': ['InstanceResponse', { ...ok, type: 'registerInstance' }],
    },
  },
  {
    name: 'group written into the service name',
    ask: ['ServiceQueryRequest', named('DEFAULT_GROUP@@facts')],
    answers: {
      '3.1.0': [
        'QueryServiceResponse',
        refused(
          400,
          "Param check invalid:Param 'serviceName' is illegal, illegal characters should not appear in the param.",
        ),
      ],
      '2.5.0': [
        'QueryServiceResponse',
        refused(
          400,
          "Param check invalid:Param 'serviceName' is illegal, illegal characters should not appear in the param.",
        ),
      ],
      '2.2.3': ['QueryServiceResponse', emptyList('allIPs', { name: 'DEFAULT_GROUP@@facts' })],
    },
  },
  {
    name: 'no group',
    ask: ['SubscribeServiceRequest', { serviceName: 'facts', clusters: '', subscribe: true }],
    answers: all('ErrorResponse', refused(500, "Param 'groupName' is illegal, groupName is blank")),
  },
  {
    name: 'persistent instance',
    ask: ['PersistentInstanceRequest', { ...named('stays'), type: 'registerInstance', instance: instance(8002) }],
    answers: {
      '3.1.0': ['InstanceResponse', { ...ok, type: 'registerInstance' }],
      '2.5.0': ['InstanceResponse', { ...ok, type: 'registerInstance' }],
      '2.2.3': ['ErrorResponse', refused(302, 'RequestHandler Not Found')],
    },
  },
  {
    name: 'ephemeral instance of a service that is persistent by now',
    ask: ['InstanceRequest', { ...named('stays'), type: 'registerInstance', instance: instance(8003) }],
    answers: {
      '3.1.0': [
        'ErrorResponse',
        refused(
          400,
          "errCode: 400, errMsg: Current service DEFAULT_GROUP@@stays is persistent service, can't register ephemeral instance. ",
          400,
        ),
      ],
      '2.5.0': [
        'ErrorResponse',
        refused(
          400,
          "errCode: 400, errMsg: Current service DEFAULT_GROUP@@stays is persistent service, can't register ephemeral instance. ",
          400,
        ),
      ],
      '2.2.3': ['InstanceResponse', { ...ok, type: 'registerInstance' }],
    },
  },
  {
    name: 'config that nobody published',
    ask: ['ConfigQueryRequest', { dataId: 'facts', group: 'DEFAULT_GROUP', tenant: '', module: 'config' }],
    answers: all('ConfigQueryResponse', { ...refused(300, 'config data not exist'), lastModified: 0, beta: false }),
  },
  {
    name: 'publication that compares with a wrong md5',
    ask: [
      'ConfigPublishRequest',
      { dataId: 'compared', group: 'DEFAULT_GROUP', tenant: '', content: 'x', casMd5: 'deadbeef' },
    ],
    answers: {
      '3.1.0': ['ConfigPublishResponse', refused(500, 'Cas publish fail, server md5 may have changed.')],
      '2.5.0': ['ConfigPublishResponse', refused(500, 'Cas publish fail, server md5 may have changed.')],
      '2.2.3': ['ConfigPublishResponse', ok],
    },
  },
  {
    name: 'list of services',
    ask: [
      'ServiceListRequest',
      { namespace: 'public', groupName: 'NO_SUCH_GROUP', pageNo: 1, pageSize: 10, selector: '' },
    ],
    answers: all('ServiceListResponse', { ...ok, count: 0, serviceNames: [] }),
  },
]

/** A host as every release lists it, registered with the fields that clients send. */
export const recordedHost = {
  instanceId: '10.0.0.1#8001#DEFAULT#DEFAULT_GROUP@@sc-b',
  ip: '10.0.0.1',
  port: 8001,
  weight: 1,
  healthy: true,
  enabled: true,
  ephemeral: true,
  clusterName: 'DEFAULT',
  serviceName: 'DEFAULT_GROUP@@sc-b',
  metadata: { 'alicloud.service.tag': 'gray' },
  instanceHeartBeatInterval: 5000,
  instanceHeartBeatTimeOut: 15000,
  ipDeleteTimeout: 30000,
}
