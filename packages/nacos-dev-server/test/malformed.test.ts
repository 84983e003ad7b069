import fc from 'fast-check'
import t from 'tap'
import { setUpPeer, startServer } from './fixture.js'
import { named } from './peer.js'

const types = [
  'InstanceRequest',
  'BatchInstanceRequest',
  'PersistentInstanceRequest',
  'SubscribeServiceRequest',
  'ServiceQueryRequest',
  'ServiceListRequest',
  'ConfigQueryRequest',
  'ConfigPublishRequest',
  'ConfigRemoveRequest',
  'ConfigBatchListenRequest',
]
const anything = fc.jsonValue({ maxDepth: 2 })
const bodies = fc.record(
  {
    namespace: fc.oneof(fc.constant('public'), anything),
    serviceName: fc.oneof(fc.constant('sc-b'), fc.constant('__proto__'), anything),
    groupName: fc.oneof(fc.constant('DEFAULT_GROUP'), anything),
    type: fc.oneof(fc.constantFrom('registerInstance', 'deregisterInstance', 'batchRegisterInstance'), anything),
    instance: fc.oneof(fc.record({ ip: anything, port: anything, weight: anything, metadata: anything }), anything),
    instances: fc.oneof(fc.array(anything), anything),
    subscribe: fc.oneof(fc.boolean(), anything),
    cluster: anything,
    pageNo: anything,
    pageSize: anything,
    dataId: fc.oneof(fc.constant('__proto__'), anything),
    group: anything,
    tenant: anything,
    content: anything,
    casMd5: anything,
    additionMap: anything,
    listen: fc.oneof(fc.boolean(), anything),
    configListenContexts: fc.oneof(fc.array(anything), anything),
  },
  { requiredKeys: [] },
)

t.test('whatever a body holds, it is answered and the next request is served', async t => {
  const server = await startServer(t)
  const peer = await setUpPeer(t, server)
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...types), fc.oneof(bodies, anything), async (type, body) => {
      const answer = await peer.ask(type, JSON.stringify(body))
      t.match(answer.type, /Response$/)
      t.type(answer.body.resultCode, 'number')
      t.notMatch(String(answer.body.message), /TypeError/, 'no handler fell over')
    }),
    { numRuns: 200 },
  )
  t.match(await peer.ask('HealthCheckRequest'), { type: 'HealthCheckResponse' })
})

t.test('numbers may come as text, and metadata keep a key named __proto__', async t => {
  const server = await startServer(t)
  const peer = await setUpPeer(t, server)
  const body = JSON.stringify({ ...named('sc-b'), type: 'registerInstance' }).slice(0, -1)
  const instance = '{"ip":"10.0.0.1","port":"8001","weight":"0.5","metadata":{"__proto__":"x","lane":"gray"}}'
  await peer.ask('InstanceRequest', `${body},"instance":${instance}}`)
  const [host] = (await peer.ask('ServiceQueryRequest', named('sc-b'))).body.serviceInfo.hosts
  t.equal(host.port, 8001)
  t.equal(host.weight, 0.5)
  t.strictSame(Object.keys(host.metadata).sort(), ['__proto__', 'lane'])
})
