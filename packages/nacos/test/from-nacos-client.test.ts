import type { EndpointInput } from '@laneway/discovery'
import t from 'tap'
import { type ForeignInstance, fromNacosClient } from '../src/index.js'

const one: ForeignInstance = {
  ip: '10.0.0.1',
  port: 1,
  weight: 1,
  healthy: true,
  enabled: true,
  clusterName: 'DEFAULT',
  metadata: { 'alicloud.service.tag': 'gray' },
}
const two: ForeignInstance = { ip: '10.0.0.2', port: 2, healthy: false, clusterName: 'b' }

function eye(): {
  lists: (readonly EndpointInput[])[]
  errors: Error[]
  snapshot(list: readonly EndpointInput[]): void
  missing(): void
  stale(error: Error): void
  next(): Promise<void>
} {
  const lists: (readonly EndpointInput[])[] = []
  const errors: Error[] = []
  let wake = (): void => {}
  return {
    lists,
    errors,
    snapshot: list => {
      lists.push(list)
      wake()
    },
    missing: () => {},
    stale: error => {
      errors.push(error)
      wake()
    },
    next: () =>
      new Promise(resolve => {
        wake = resolve
      }),
  }
}

// The source's own timers keep no process alive, and there is no connection here that does.
const alive = setInterval(() => {}, 1_000)
t.teardown(() => clearInterval(alive))

t.test('the npm package: listeners, empty lists by asking, and a real unsubscribe', async t => {
  let listener: ((hosts: readonly ForeignInstance[]) => void) | undefined
  let list: ForeignInstance[] = [one, two]
  const gone: unknown[] = []
  const foreign = {
    subscribe: (_info: object, fn: (hosts: readonly ForeignInstance[]) => void) => {
      listener = fn
    },
    unSubscribe: (info: object, fn: unknown) => void gone.push([info, fn === listener]),
    getAllInstances: async (service: string, group?: string, _clusters?: string, subscribe?: boolean) => {
      t.same([service, group, subscribe], ['sc-B', 'G', false])
      return list
    },
  }
  const source = fromNacosClient(foreign, { group: 'G', pollMs: 5 })
  const seen = eye()
  const first = seen.next()
  const stop = source.subscribe('sc-B', seen)
  await first
  t.match(seen.lists[0], [
    { host: '10.0.0.1', port: 1, tags: ['gray'], health: 'healthy' },
    { host: '10.0.0.2', port: 2, tags: [], health: 'unhealthy', weight: 1, enabled: true, zone: 'b' },
  ])
  listener!([two])
  t.equal(seen.lists.at(-1)!.length, 1)
  list = []
  while (seen.lists.at(-1)!.length > 0) await seen.next()
  stop()
  stop()
  t.same(gone, [[{ serviceName: 'sc-B', groupName: 'G' }, true]])
  const heard = seen.lists.length
  listener!([one])
  t.equal(seen.lists.length, heard)
  await source.close()
})

t.test('the Rust client: its own shape of subscription and errors', async t => {
  let listener: ((error: Error | null, instances: ForeignInstance[]) => void) | undefined
  const foreign = {
    subscribe: (service: string, group: string, clusters: unknown, fn: typeof listener) => {
      t.same([service, group, clusters], ['a', 'DEFAULT_GROUP', []])
      listener = fn
    },
    batchRegisterInstance: () => {},
    getAllInstances: async () => Promise.reject(new Error('no answer')),
  }
  const source = fromNacosClient(foreign, { pollMs: 0 })
  const seen = eye()
  const first = seen.next()
  source.subscribe('a', seen)
  await first
  t.match(seen.errors, [/no answer/], 'a failed question is stale, not empty')
  listener!(null, [one])
  listener!(new Error('lost'), [])
  t.same([seen.lists.length, seen.errors.length], [1, 2])
  await source.close()
  listener!(null, [two])
  t.equal(seen.lists.length, 1)
})

t.test('what is neither is refused', async t => {
  t.throws(() => fromNacosClient({} as never), { code: 'LANEWAY_INVALID_OPTION' })
  t.throws(
    () =>
      fromNacosClient({ subscribe() {}, unSubscribe() {}, getAllInstances: async () => [] }, { pollMs: Number.NaN }),
    { code: 'LANEWAY_INVALID_OPTION' },
  )
})
