import http, { createServer } from 'node:http'
import http2 from 'node:http2'
import { connect } from 'node:net'
import { listen } from '@laneway/testkit'
import t, { type Test } from 'tap'
import { WebSocket, WebSocketServer } from 'ws'
import { dial, send, start, startServices } from './world.js'

const routes = [{ service: 'sc-a' }]
const host = '127.0.0.1'

/** Answers a request when told to. */
async function held(t: Test) {
  const waiting: (() => void)[] = []
  let wake = (): void => {}
  const services = await startServices(t, {
    'sc-a': [
      {
        handler: (request, response) => {
          request.resume()
          request.on('error', () => {})
          waiting.push(() => response.end('served'))
          wake()
        },
      },
    ],
  })
  return {
    services,
    release: () => {
      for (const answer of waiting.splice(0)) answer()
    },
    arrived: async (count: number) => {
      while (waiting.length < count) {
        await new Promise<void>(resolve => {
          wake = resolve
        })
      }
    },
  }
}

/** Whether a port takes no more connections. */
const refuses = (port: number) =>
  new Promise<boolean>(resolve => {
    const socket = connect(port, host, () => {
      socket.destroy()
      resolve(false)
    })
    socket.on('error', () => resolve(true))
  })

const status = async (port: number, path: string) => (await send(port, { path })).status

t.test('not ready, still serving; then no new connections; then what is under way; then the end', async t => {
  const { services, release, arrived } = await held(t)
  const { gateway, port } = await start(t, services, {
    routes,
    admin: { host },
    drain: { delayMs: 300, timeoutMs: 60_000 },
  })
  const admin = gateway.adminAddress().port
  t.equal(await status(admin, '/readyz'), 200)
  t.equal(await status(admin, '/healthz'), 200)
  const agent = new http.Agent({ keepAlive: true })
  t.teardown(() => agent.destroy())
  const before = send(port, { agent })
  await arrived(1)
  const closed = gateway.close()
  t.notOk(gateway.ready)
  t.equal(await status(admin, '/readyz'), 503)
  t.equal(await status(admin, '/healthz'), 200, 'alive all the same')
  const during = send(port, { agent })
  await arrived(2)
  while (!(await refuses(port))) {}
  release()
  for (const reply of await Promise.all([before, during])) t.equal(reply.text, 'served')
  await closed
  await t.rejects(send(admin, { path: '/healthz' }), 'the admin port goes last')
})

t.test('an upload that is under way is finished, and its connection ends', async t => {
  let received = 0
  let some = (): void => {}
  const begun = new Promise<void>(resolve => {
    some = resolve
  })
  const services = await startServices(t, {
    'sc-a': [
      {
        handler: (request, response) => {
          request.on('data', chunk => {
            received += chunk.length
            some()
          })
          request.on('end', () => response.end(String(received)))
        },
      },
    ],
  })
  const { gateway, port, logged } = await start(t, services, { routes, drain: { timeoutMs: 60_000 } })
  const raw = dial(t, port)
  raw.socket.write('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 200000\r\n\r\n')
  raw.socket.write(Buffer.alloc(100_000))
  await begun
  const closed = gateway.close()
  await t.rejects(send(port), 'nobody else comes in')
  raw.socket.write(Buffer.alloc(100_000))
  const answer = await raw.closed
  t.match(answer, /^HTTP\/1\.1 200 .*\r\nconnection: close\r\n.*200000/is)
  t.match(await logged(), { status: 200, requestBytes: 200_000 })
  await closed
})

t.test('idle connections are closed, busy ones after their answer', async t => {
  const { services, release, arrived } = await held(t)
  const { gateway, port } = await start(t, services, { routes, drain: { timeoutMs: 60_000 } })
  const idle = dial(t, port)
  const busy = dial(t, port)
  const get = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n'
  idle.socket.write(get)
  await arrived(1)
  release()
  await idle.until('served')
  busy.socket.write(get)
  await arrived(1)
  const closed = gateway.close()
  t.match(await idle.closed, /served/)
  release()
  t.match(await busy.closed, /connection: close.*served/is)
  await closed
})

t.test('HTTP/2: told to go away, streams that are open are served', async t => {
  const { services, release, arrived } = await held(t)
  const { gateway, port } = await start(t, services, {
    routes,
    listeners: [{ host, protocol: 'h2c' }],
    drain: { timeoutMs: 60_000 },
  })
  const session = http2.connect(`http://${host}:${port}`)
  const goaway = new Promise<void>(resolve => session.on('goaway', () => resolve()))
  const stream = session.request({ ':path': '/' })
  let text = ''
  stream.setEncoding('utf8')
  stream.on('data', chunk => {
    text += chunk
  })
  const ended = new Promise<void>(resolve => stream.on('close', () => resolve()))
  await arrived(1)
  const closed = gateway.close()
  await goaway
  release()
  await ended
  t.equal(text, 'served')
  await closed
})

t.test('what does not end in time is cut off, and so are WebSockets', async t => {
  const { services, arrived } = await held(t)
  const sockets = new WebSocketServer({ noServer: true })
  const server = createServer()
  server.on('upgrade', (request, socket, head) => {
    sockets.handleUpgrade(request, socket, head, one => one.on('error', () => {}))
  })
  const chat = await listen(t, server)
  const { gateway, port, log } = await start(
    t,
    { ...services, chat: [{ host, port: chat }] },
    { routes: [...routes, { path: { prefix: '/chat' }, service: 'chat' }], drain: { timeoutMs: 50 } },
  )
  const raw = dial(t, port)
  raw.socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
  await arrived(1)
  const socket = new WebSocket(`ws://${host}:${port}/chat`)
  socket.on('error', () => {})
  await new Promise(resolve => socket.on('open', resolve))
  const gone = new Promise<number>(resolve => socket.on('close', resolve))
  await gateway.close()
  t.match(await raw.closed, /^HTTP\/1\.1 503 .*connection: close.*"closing"/is)
  t.equal(await gone, 1006)
  t.match(log.map(({ error, status }) => [status, error]).sort(), [
    [101, undefined],
    [503, 'closing'],
  ])
})

t.test('a second close cuts off at once', async t => {
  const { services, arrived } = await held(t)
  const { gateway, port } = await start(t, services, { routes, drain: { delayMs: 100_000, timeoutMs: 100_000 } })
  const raw = dial(t, port)
  raw.socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
  await arrived(1)
  const closed = gateway.close()
  await gateway.close()
  await closed
  t.match(await raw.closed, /^HTTP\/1\.1 503 /)
})

t.test('one that never listened closes, and one that is closed does not listen', async t => {
  const { createGateway } = await import('../src/index.js')
  const { createLaneResolver, createStaticSource } = await import('@laneway/discovery')
  const resolver = createLaneResolver({ sources: [createStaticSource({})] })
  const gateway = await createGateway({ resolver, routes })
  t.throws(() => gateway.address())
  t.throws(() => gateway.adminAddress())
  await gateway.close()
  await t.rejects(gateway.listen(), { code: 'LANEWAY_CLOSED' })
})
