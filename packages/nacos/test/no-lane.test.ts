import { currentLane, runInLane } from '@laneway/core'
import { createNacosDevServer } from '@laneway/nacos-dev-server'
import { eventually } from '@laneway/testkit'
import t from 'tap'
import { createNacosClient, createNacosSource } from '../src/index.js'

t.test('what a request has started hears of later changes in no lane', async t => {
  const server = await createNacosDevServer({
    port: 0,
    pushDelayMs: 0,
    configDelayMs: 0,
    auth: { users: { dev: 'secret' } },
  }).start()
  const options = { servers: server.address, username: 'dev', password: 'secret', maxReconnectDelayMs: 20, warn() {} }
  const other = createNacosClient(options)
  const lanes = new Map<string, (string | undefined)[]>()
  const note = (what: string) => lanes.set(what, [...(lanes.get(what) ?? []), currentLane()?.header])
  const client = createNacosClient({
    ...options,
    headers: ({ type }) => {
      note(`headers of ${type}`)
      return {}
    },
  })
  const source = createNacosSource(client, { listIntervalMs: 5 })
  t.teardown(() => Promise.all([client.close(), other.close(), server.close()]))
  runInLane('gray', () => {
    client.naming.subscribe({ service: 'orders' }, { info: () => note('info'), lost: () => note('lost') })
    client.config.listen('rules', {}, { value: () => note('value'), lost: () => note('config lost') })
    source.subscribe('billing', {
      snapshot: () => note('snapshot'),
      missing() {},
      stale: () => note('stale'),
    })
    source.list?.(() => note('list'))
  })
  const told = (what: string) => lanes.get(what)?.length ?? 0
  const followed = ['info', 'value', 'snapshot', 'list']
  await eventually(() => followed.every(what => told(what) > 0))
  for (const service of ['orders', 'billing']) await other.naming.register({ service }, { ip: '10.0.0.1', port: 1 })
  await other.config.publish('rules', '{}')
  server.faults.resetConnections()
  await eventually(() => followed.every(what => told(what) > 1) && told('lost') > 0)
  for (const [what, heard] of lanes) t.strictSame([...new Set(heard)], [undefined], what)
})

t.test('a closed source follows nothing more, and says that it is closed', async t => {
  const server = await createNacosDevServer({ port: 0, pushDelayMs: 0 }).start()
  const client = createNacosClient({ servers: server.address, warn() {} })
  t.teardown(() => Promise.all([client.close(), server.close()]))
  await client.ready()
  const source = createNacosSource(client)
  await source.close()
  const errors: Error[] = []
  const stop = source.subscribe('orders', { snapshot() {}, missing() {}, stale: error => errors.push(error) })
  stop()
  source.list?.(() => t.fail('listed'))()
  t.match(errors, [{ code: 'LANEWAY_CLOSED' }])
  // A round trip later the server would know of a subscription.
  await client.naming.query({ service: 'orders' })
  t.strictSame(server.subscriptions(), [])
})
