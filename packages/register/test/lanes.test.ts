import { Agent, type IncomingMessage, type RequestOptions, request } from 'node:http'
import { type AddressInfo, createServer } from 'node:net'
import { createNacosDevServer } from '@laneway/nacos-dev-server'
import t from 'tap'
import { parseLanesPlace } from '../src/lanes/lanes-place.js'
import { startFarService } from './far-service.js'
import { freePort } from './free-port.js'
import { ask, program, relay, startApp } from './start-app.js'

interface Lanes {
  readonly service: string
  readonly decisions: readonly { readonly service: string; readonly lane: string; readonly count: number }[]
}

const lanesOf = async (port: number) => (await fetch(`http://127.0.0.1:${port}/lanes`)).json() as Promise<Lanes>
const refused = (port: number) =>
  fetch(`http://127.0.0.1:${port}/lanes`).then(
    () => false,
    () => true,
  )

/** Ports in a row that are free, and below those that systems give to outgoing connections. */
async function freeRange(count: number): Promise<number> {
  for (;;) {
    const first = 10_000 + Math.floor(Math.random() * 20_000)
    const servers = Array.from({ length: count }, () => createServer())
    const free = await Promise.all(
      servers.map(
        (server, index) =>
          new Promise<boolean>(resolve => {
            server.once('error', () => resolve(false)).listen(first + index, '127.0.0.1', () => resolve(true))
          }),
      ),
    )
    await Promise.all(servers.map(server => new Promise(resolve => server.close(resolve))))
    if (free.every(Boolean)) return first
  }
}

const look = (port: number, path: string, options: RequestOptions) =>
  new Promise<IncomingMessage>((resolve, reject) => {
    request({ host: '127.0.0.1', port, path, ...options }, answer => resolve(answer.resume()))
      .on('error', reject)
      .end()
  })

async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await isSo())) await new Promise(resolve => setTimeout(resolve, 20))
}

t.test('an unchanged process serves where its calls went, and registers its own port', async t => {
  const far = await startFarService(t)
  const nacos = await createNacosDevServer({ port: 0 }).start()
  t.teardown(() => nacos.close())
  const port = await freePort()
  const app = await startApp(t, program('relay.mjs'), {
    environment: {
      ...far.environment,
      LANEWAY_NACOS: nacos.address,
      LANEWAY_SERVICE: 'sc-P',
      LANEWAY_LANES: `${port}`,
      LANEWAY_DIAGNOSE: '1',
    },
  })
  await nacos.until(({ instances }) => instances('sc-P').length > 0)
  await until(async () => !(await refused(port)))
  for (const tag of ['gray', 'gray', undefined]) await relay(app, 'fetch', tag)
  t.match(await lanesOf(port), {
    version: 1,
    service: 'sc-P',
    decisions: [
      { service: 'svc', lane: 'gray', served: 'gray', outcome: 'lane', count: 2 },
      { service: 'svc', lane: 'base', served: 'base', outcome: 'base', count: 1 },
    ],
  })
  t.strictSame(
    nacos.instances('sc-P').map(one => one.port),
    [app.port],
  )
  t.match(app.output.stderr, `laneway: lanes: http://127.0.0.1:${port}/lanes`)

  const status = async (path: string, headers = {}, method = 'GET') =>
    (await look(port, path, { headers, method })).statusCode
  t.equal(await status('/'), 404)
  t.equal(await status('/lanes', {}, 'POST'), 405)
  t.equal(await status('/lanes', { host: `localhost:${port}` }), 200)
  t.equal(await status('/lanes', { host: 'sc-p.shop.svc:9464' }), 200)
  t.equal(await status('/lanes', { host: 'evil.example' }), 421, 'a page that points its name here reads nothing')
  t.equal(await status('/lanes', { 'x-forwarded-for': '203.0.113.1' }), 404, 'nor does whoever comes through a proxy')
  const { headers } = await look(port, '/lanes', { headers: { 'x-mse-tag': 'gray', 'x-laneway-trace': '1' } })
  t.notOk('x-laneway-path' in headers, 'it is no server of the program, with lanes and paths')
})

t.test('the port of /lanes holds no process, and closes with the registration', async t => {
  const port = await freePort()
  const app = await startApp(t, program('fades.mjs'), { environment: { LANEWAY_LANES: `${port}` } })
  await until(async () => !(await refused(port)))
  const agent = new Agent({ keepAlive: true })
  t.teardown(() => agent.destroy())
  t.equal((await look(port, '/lanes', { agent })).statusCode, 200)
  await ask(app.url)
  let ended = false
  void app.ended.then(() => (ended = true))
  while (!ended) await look(port, '/lanes', { agent }).catch(() => {})
  t.equal(await app.ended, 0, 'it ends although somebody goes on asking for /lanes')

  const leaves = await startApp(t, program('shut-down.mjs'), { environment: { LANEWAY_LANES: `${port}` } })
  await until(async () => !(await refused(port)))
  await ask(leaves.url)
  await until(() => refused(port))
  t.equal(await ask(leaves.url), 'left', 'the program itself goes on')
})

t.test('a process that neither listens nor calls takes no port', async t => {
  const port = await freePort()
  const app = await startApp(t, program('idle.mjs'), { environment: { LANEWAY_LANES: `${port}` } })
  t.ok(await refused(port))
  t.equal(await app.ended, 0)
})

t.test('workers of a cluster take a port each, and those without one say so and serve', async t => {
  const far = await startFarService(t)
  const first = await freeRange(3)
  const app = await startApp(t, program('cluster.mjs'), {
    environment: { ...far.environment, LANEWAY_SERVICE: 'sc-P', LANEWAY_LANES: `${first}-${first + 2}` },
  })
  const ports = [first, first + 1, first + 2]
  await until(async () => (await Promise.all(ports.map(refused))).every(one => !one))
  await until(() => /are in use, so this process does not serve \/lanes/.test(app.output.stderr))
  t.equal(app.output.stderr.match(/are in use/g)?.length, 1, 'the fourth of four workers')
  const workers = new Set<string>()
  let calls = 0
  while (workers.size < 4 || calls % 4 !== 0) {
    const [pid = '', answer] = (await ask(app.url, 'gray')).split(' ')
    t.equal(answer, 'gray[gray]')
    workers.add(pid)
    calls++
  }
  const counts = (await Promise.all(ports.map(lanesOf))).map(({ decisions }) => decisions[0]?.count ?? 0)
  t.ok(
    counts.every(count => count > 0),
    'each worker answers for itself',
  )
  t.ok(counts.reduce((sum, one) => sum + one, 0) < calls, 'and the one without a port for nobody')
})

t.test('a port that is taken changes nothing for the program', async t => {
  const other = createServer().listen(0, '127.0.0.1')
  await new Promise(resolve => other.once('listening', resolve))
  t.teardown(() => other.close())
  const { port } = other.address() as AddressInfo
  const app = await startApp(t, program('plain.mjs'), { environment: { LANEWAY_LANES: `${port}` } })
  await until(() => app.output.stderr.includes('is in use, so this process does not serve /lanes'))
  t.equal(await ask(app.url), 'done')
})

t.test('the place is a port or a range, on loopback without an address', async t => {
  t.strictSame(parseLanesPlace('9464'), { host: '127.0.0.1', first: 9464, last: 9464 })
  t.strictSame(parseLanesPlace('9464-9471'), { host: '127.0.0.1', first: 9464, last: 9471 })
  t.strictSame(parseLanesPlace('0.0.0.0:1-64'), { host: '0.0.0.0', first: 1, last: 64 })
  t.strictSame(parseLanesPlace('[::1]:65535'), { host: '::1', first: 65_535, last: 65_535 })
  t.strictSame(parseLanesPlace('localhost:9464'), { host: 'localhost', first: 9464, last: 9464 })
  const bad = ['', '0', '65536', '1-65', '9-8', '9464-', 'example.com:9464', '*:9464', ':9464', '1e3', '9464/lanes']
  for (const text of bad) {
    t.throws(
      () => parseLanesPlace(text),
      { code: 'LANEWAY_INVALID_OPTION', message: /: LANEWAY_LANES is a port/ },
      text,
    )
  }
})
