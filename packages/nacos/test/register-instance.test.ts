import { once } from 'node:events'
import { createServer } from 'node:http'
import { setLogger } from '@laneway/core'
import t from 'tap'
import { laneMetadata, type NacosClient, registerInstance } from '../src/index.js'
import { client, server } from './harness.js'
import { refused } from './raw-server.js'

const quick = { requestTimeoutMs: 200, maxReconnectDelayMs: 50, redoIntervalMs: 30 }

t.test('the lane goes into the metadata in both forms; base says base', async t => {
  t.same(laneMetadata('gray'), { 'alicloud.service.tag': 'gray', 'opensergo.io/canary-gray': 'gray' })
  t.same(laneMetadata('gray-2,gray'), {
    'alicloud.service.tag': 'gray-2',
    'opensergo.io/canary-gray-2': 'gray-2',
    'opensergo.io/canary-gray': 'gray',
  })
  for (const base of [undefined, '', 'base']) t.same(laneMetadata(base), { 'opensergo.io/canary': '' })
  t.throws(() => laneMetadata('no tag'), { code: 'LANEWAY_INVALID_TAG' })
})

t.test('an instance is registered in its lane under the address that reaches Nacos', async t => {
  const nacos = await server(t)
  const made = client(t, nacos)
  const own = await registerInstance(made, {
    service: 'sc-B',
    port: 8080,
    lane: 'gray',
    metadata: { zone: 'a' },
    weight: 3,
  })
  t.same([own.ip, own.port], ['127.0.0.1', 8080])
  t.match(await nacos.message('InstanceRequest'), {
    body: {
      serviceName: 'sc-B',
      instance: {
        ip: '127.0.0.1',
        port: 8080,
        weight: 3,
        metadata: { zone: 'a', 'alicloud.service.tag': 'gray', 'opensergo.io/canary-gray': 'gray' },
      },
    },
  })
})

t.test('the lane of the process is the default; metadata that says a lane is left alone', async t => {
  const before = process.env['LANEWAY_TAG']
  process.env['LANEWAY_TAG'] = 'green'
  t.teardown(() => {
    if (before === undefined) delete process.env['LANEWAY_TAG']
    else process.env['LANEWAY_TAG'] = before
  })
  const nacos = await server(t)
  const made = client(t, nacos)
  const own = await registerInstance(made, { service: 'a', port: 1 })
  t.match(own.metadata, { 'alicloud.service.tag': 'green' })
  const said = await registerInstance(made, { service: 'b', port: 1, metadata: { 'opensergo.io/canary-red': 'red' } })
  t.same(said.metadata, { 'opensergo.io/canary-red': 'red' })
  await t.rejects(
    registerInstance(made, { service: 'c', port: 1, lane: 'x', metadata: { 'alicloud.service.tag': 'y' } }),
    { code: 'LANEWAY_INVALID_OPTION' },
  )
  process.env['LANEWAY_TAG'] = 'not a tag'
  await t.rejects(registerInstance(made, { service: 'd', port: 1 }), { code: 'LANEWAY_INVALID_TAG' })
})

t.test('registration waits for the server to listen and for the app, and takes the port', async t => {
  const nacos = await server(t)
  const app = createServer()
  let ready = (): void => {}
  const when = new Promise<void>(resolve => {
    ready = resolve
  })
  const pending = registerInstance(client(t, nacos), { service: 'a', server: app, when })
  app.listen(0, '127.0.0.1')
  t.teardown(() => app.close())
  await once(app, 'listening')
  t.equal(nacos.received.length, 0, 'not before the app is ready')
  ready()
  const own = await pending
  t.equal(own.port, (app.address() as { port: number }).port)
  const wild = createServer().listen(0)
  t.teardown(() => wild.close())
  const second = await registerInstance(client(t, nacos), { service: 'b', server: wild })
  t.equal(second.ip, '127.0.0.1', 'a wildcard address is not one to call')
})

t.test('a server on loopback, registered in a Nacos elsewhere, is warned of', async t => {
  const app = createServer().listen(0, '127.0.0.1')
  t.teardown(() => app.close())
  const warnings: string[] = []
  setLogger({ debug() {}, warn: (message: string) => void warnings.push(message) })
  t.teardown(() => setLogger(undefined))
  const from = (localAddress: string) =>
    ({ naming: { localAddress, register: async () => {}, deregister: async () => {} } }) as unknown as NacosClient
  await registerInstance(from('127.0.0.1'), { service: 'sc-b', server: app })
  await registerInstance(from('::1'), { service: 'sc-c', server: app })
  await registerInstance(from('10.0.0.7'), { service: 'sc-d', server: app, ip: '127.0.0.1' })
  await registerInstance(from('10.0.0.7'), { service: 'sc-e', port: 80 })
  t.same(warnings, [])
  const { port } = await registerInstance(from('10.0.0.7'), { service: 'sc-f', server: app })
  t.equal(warnings.length, 1)
  t.match(
    warnings[0],
    `sc-f is registered as 127.0.0.1:${port}, because its server listens there, and no other machine`,
  )
})

t.test('leaving: deregister, wait, drain, in this order and once', async t => {
  const nacos = await server(t)
  const steps: string[] = []
  const own = await registerInstance(client(t, nacos), {
    service: 'a',
    port: 1,
    leaveDelayMs: 50,
    drain: () => {
      steps.push(
        nacos.received.some(({ body }) => body?.type === 'deregisterInstance') ? 'drained after' : 'drained before',
      )
    },
  })
  const started = Date.now()
  await Promise.all([own.deregister(), own.deregister()])
  t.same(steps, ['drained after'])
  t.ok(Date.now() - started >= 49, 'callers had time to learn of it')
  await t.rejects(own.update({ weight: 2 }), { code: 'LANEWAY_CLOSED' })
})

t.test('update changes what it names and keeps the lane', async t => {
  const nacos = await server(t)
  const own = await registerInstance(client(t, nacos), { service: 'a', port: 1, lane: 'gray', metadata: { a: '1' } })
  await own.update({ weight: 7, enabled: false })
  await own.update({ metadata: { b: '2' } })
  const instances = nacos.received.filter(({ type }) => type === 'InstanceRequest').map(({ body }) => body.instance)
  t.match(instances[1], { weight: 7, enabled: false, metadata: { a: '1', 'alicloud.service.tag': 'gray' } })
  t.same(instances[2].metadata, { b: '2', ...laneMetadata('gray') })
  t.same(own.metadata, { b: '2', ...laneMetadata('gray') })
})

t.test('a server that is down is waited for; one that refuses is an error', async t => {
  const nacos = await server(t)
  const { port } = nacos
  await nacos.stop()
  const pending = registerInstance(client(t, nacos, { ...quick, operationTimeoutMs: 50 }), { service: 'a', port: 1 })
  await nacos.start(port)
  t.equal((await pending).ip, '127.0.0.1')
  nacos.handlers['InstanceRequest'] = () => refused(403, 'no right')
  await t.rejects(registerInstance(client(t, nacos), { service: 'a', port: 1 }), {
    code: 'LANEWAY_AUTH',
    message: /no right/,
  })
})

t.test('options are refused with their names', async t => {
  const made = client(t, '127.0.0.1:1')
  await t.rejects(registerInstance(made, { service: 'a' }), /port or server/)
  for (const leaveDelayMs of [Number.NaN, '5000' as never, -1]) {
    await t.rejects(registerInstance(made, { service: 'a', port: 1, leaveDelayMs }), /leaveDelayMs is a number of/)
  }
  await t.rejects(registerInstance(made, { service: 'a', port: 1, tag: 'x' } as never), /has no option "tag"/)
})
