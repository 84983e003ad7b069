import type { Dialect } from '../dialect.js'
import { type Answer, failure, success } from '../requests/answer.js'
import type { RequestBody, RequestHandler } from '../requests/request.js'
import type { Session } from '../session/session.js'
import { type Instance, parseInstance, type ServiceName } from './instance.js'
import type { NamingPushes } from './naming-pushes.js'
import type { NamingStore } from './naming-store.js'

interface NamingParts {
  readonly dialect: Dialect
  readonly store: NamingStore
  readonly pushes: NamingPushes
}

/** The naming requests that the server answers, by type. */
export function createNamingRequests({ dialect, store, pushes }: NamingParts): Record<string, RequestHandler> {
  const changed = (hasChanged: boolean, name: ServiceName): void => {
    if (hasChanged) pushes.schedule(name)
  }

  /** The answer to parameters that the release refuses; undefined when they are good. */
  const refusal = (type: string, name: ServiceName, instances: readonly Instance[] = []): Answer | undefined => {
    if (name.group.trim() === '')
      return failure('ErrorResponse', 500, "Param 'groupName' is illegal, groupName is blank")
    if (!dialect.checksParameters) return undefined
    const illegal = (param: string, why: string): Answer =>
      failure(type, 400, `Param check invalid:Param '${param}' is illegal, ${why}.`)
    if (name.service.includes('@@')) {
      return illegal('serviceName', 'illegal characters should not appear in the param')
    }
    if (instances.some(({ port }) => !(port >= 0 && port <= 65_535))) {
      return illegal('port', 'the value should be between 0 and 65535')
    }
    return undefined
  }

  const operationRefused = (operation: unknown): Answer =>
    failure('ErrorResponse', 400, `Unsupported request type ${String(operation)}`, {
      resultCode: dialect.badOperationCode,
    })

  const instanceRequest = (body: RequestBody, session: Session): Answer => {
    const name = serviceNameOf(body)
    const type = body['type']
    // Ephemeral whatever the instance says: the request type decides.
    const instance = parseInstance(body['instance'], name, dialect, true)
    const refused = refusal('InstanceResponse', name, [instance])
    if (refused !== undefined) return refused
    if (type === 'registerInstance') {
      if (store.isPersistent(name)) {
        const message = `Current service ${name.group}@@${name.service} is persistent service, can't register ephemeral instance. `
        return failure('ErrorResponse', 400, `errCode: 400, errMsg: ${message}`, { resultCode: 400 })
      }
      changed(store.publish(session.id, name, [instance]), name)
    } else if (type === 'deregisterInstance') {
      // Address and port are ignored: whatever this connection registered for the service goes.
      changed(store.unpublish(session.id, name), name)
    } else return operationRefused(type)
    return success('InstanceResponse', { type })
  }

  const batchRequest = (body: RequestBody, session: Session): Answer => {
    const name = serviceNameOf(body)
    const type = body['type']
    const list = Array.isArray(body['instances']) ? body['instances'] : []
    const instances = list.map(entry => parseInstance(entry, name, dialect, true))
    const refused = refusal('BatchInstanceResponse', name, instances)
    if (refused !== undefined) return refused
    if (type !== 'batchRegisterInstance') return operationRefused(type)
    changed(store.publish(session.id, name, instances), name)
    return success('BatchInstanceResponse', { type })
  }

  const persistentRequest = (body: RequestBody): Answer => {
    const name = serviceNameOf(body)
    const type = body['type']
    const instance = parseInstance(body['instance'], name, dialect, false)
    const refused = refusal('InstanceResponse', name, [instance])
    if (refused !== undefined) return refused
    if (type !== 'registerInstance' && type !== 'deregisterInstance') return operationRefused(type)
    changed(store.setPersistent(name, instance, type === 'registerInstance'), name)
    return success('InstanceResponse', { type })
  }

  const subscribeRequest = (body: RequestBody, session: Session): Answer => {
    const name = serviceNameOf(body)
    const refused = refusal('SubscribeServiceResponse', name)
    if (refused !== undefined) return refused
    if (body['subscribe'] === true) {
      store.subscribe(session.id, name)
      // A subscription is answered with the list and followed by a push of the same list.
      pushes.schedule(name, session.id)
    } else store.unsubscribe(session.id, name)
    return success('SubscribeServiceResponse', { message: 'success', serviceInfo: store.serviceInfo(name) })
  }

  const queryRequest = (body: RequestBody): Answer => {
    const name = serviceNameOf(body)
    const refused = refusal('QueryServiceResponse', name)
    if (refused !== undefined) return refused
    const cluster = typeof body['cluster'] === 'string' ? body['cluster'] : ''
    const serviceInfo = store.serviceInfo(name, { cluster, healthyOnly: body['healthyOnly'] === true })
    return success('QueryServiceResponse', { serviceInfo })
  }

  const listRequest = (body: RequestBody): Answer => {
    const { namespace, group } = serviceNameOf(body)
    const names = store.servicesIn(namespace, group).map(({ service }) => service)
    const pageNo = Math.max(Number(body['pageNo']) || 1, 1)
    const pageSize = Math.max(Number(body['pageSize']) || 0, 0)
    const serviceNames = names.slice((pageNo - 1) * pageSize, pageNo * pageSize)
    return success('ServiceListResponse', { count: names.length, serviceNames })
  }

  return {
    InstanceRequest: { answer: 'InstanceResponse', action: 'write', handle: instanceRequest },
    BatchInstanceRequest: { answer: 'BatchInstanceResponse', action: 'write', handle: batchRequest },
    ...(dialect.persistentInstances && {
      PersistentInstanceRequest: { answer: 'InstanceResponse', action: 'write' as const, handle: persistentRequest },
    }),
    SubscribeServiceRequest: { answer: 'SubscribeServiceResponse', action: 'read', handle: subscribeRequest },
    ServiceQueryRequest: { answer: 'QueryServiceResponse', action: 'read', handle: queryRequest },
    ServiceListRequest: { answer: 'ServiceListResponse', action: 'read', handle: listRequest },
  }
}

/** A body without a namespace means `public`; an empty one is a namespace of its own. */
function serviceNameOf(body: RequestBody): ServiceName {
  const { namespace, groupName, serviceName } = body
  return {
    namespace: typeof namespace === 'string' ? namespace : 'public',
    group: typeof groupName === 'string' ? groupName : '',
    service: typeof serviceName === 'string' ? serviceName : '',
  }
}
