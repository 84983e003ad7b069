// One HTTP/1 connection has one request under way. Run on every supported Node, see node-versions.test.ts.
import { createServer, type Server, type ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { listen } from '@laneway/testkit'
import { cert, key } from '@laneway/testkit/certificate'
import t, { type Test } from 'tap'
import { WebSocketServer } from 'ws'
import { dial, type Running, send, start } from './world.js'

/** An upstream whose answers to /slow wait until they are released. */
async function upstream(t: Test) {
  const seen: string[] = []
  const held: { readonly url: string; readonly response: ServerResponse }[] = []
  const sockets = new Set<Socket>()
  let changed = (): void => {}
  const server: Server = createServer((request, response) => {
    seen.push(`${request.method} ${request.url}`)
    request.resume()
    request.on('error', () => {})
    if (request.url!.startsWith('/slow')) {
      held.push({ url: request.url!, response })
      response.on('close', () => changed())
    } else response.end(`at ${request.url}`)
    changed()
  })
  const chat = new WebSocketServer({ server })
  chat.on('connection', (socket, request) => {
    seen.push(`websocket ${request.url}`)
    socket.on('error', () => {})
    socket.send('hello')
    changed()
  })
  server.on('connection', socket => {
    sockets.add(socket)
    socket.on('close', () => {
      sockets.delete(socket)
      changed()
    })
  })
  const port = await listen(t, server)
  return {
    port,
    seen,
    sockets,
    release() {
      for (const { url, response } of held.splice(0)) response.end(`at ${url}`)
    },
    until: async (test: () => boolean) => {
      while (!test()) {
        await new Promise<void>(resolve => {
          changed = resolve
        })
      }
    },
  }
}

async function world(t: Test, listener: object = {}, options: object = {}) {
  const service = await upstream(t)
  const running = await start(
    t,
    { 'sc-a': [{ host: '127.0.0.1', port: service.port }] },
    { routes: [{ service: 'sc-a' }], ...options, listeners: [{ host: '127.0.0.1', ...listener }] },
  )
  return { service, ...running }
}

const get = (path: string, ...lines: string[]) =>
  `${[`GET ${path} HTTP/1.1`, 'Host: a', ...lines].join('\r\n')}\r\n\r\n`
const WEBSOCKET = [
  'Connection: Upgrade',
  'Upgrade: websocket',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==',
]
const tls = { cert, key }

/** As `dial`, over TLS with HTTP/1.1. */
function dialTls(t: Test, port: number): ReturnType<typeof dial> {
  const socket = connectTls({ port, host: '127.0.0.1', ca: cert, servername: 'localhost', ALPNProtocols: ['http/1.1'] })
  return dial(t, port, socket)
}

const kinds: readonly [string, object, typeof dial][] = [
  ['http', {}, dial],
  ['https with HTTP/2', { protocol: 'https', tls }, dialTls],
  ['https', { protocol: 'https', tls: { ...tls, http2: false } }, dialTls],
]

/** Statuses and bodies in the order in which they came. */
const answers = (text: string) =>
  [...text.matchAll(/HTTP\/1\.1 (\d+)|at (\/[a-z0-9-]+)/g)].map(([, status, at]) => status ?? at)

const isQuiet = ({ gateway }: Running) => /in_flight_requests 0\n/.test(gateway.metrics())

async function untilQuiet(running: Running): Promise<void> {
  while (!isQuiet(running)) await new Promise(resolve => setImmediate(resolve))
}

for (const [kind, listener, open] of kinds) {
  t.test(`${kind}: a request waits until the one before it is answered`, async t => {
    const { service, port, ...running } = await world(t, listener)
    const client = open(t, port)
    client.socket.write(get('/slow-1') + get('/2') + get('/slow-3') + get('/4', 'Connection: close'))
    await service.until(() => service.seen.length > 0)
    t.same(service.seen, ['GET /slow-1'])
    t.match(running.gateway.metrics(), /in_flight_requests 1\n/)
    service.release()
    await service.until(() => service.seen.length > 2)
    t.same(service.seen, ['GET /slow-1', 'GET /2', 'GET /slow-3'])
    service.release()
    t.same(answers(await client.closed), ['200', '/slow-1', '200', '/2', '200', '/slow-3', '200', '/4'])
  })

  t.test(`${kind}: an answer that comes before its body is whole leaves the connection usable`, async t => {
    const { service, port } = await world(t, listener)
    const body = 'b'.repeat(200_000)
    for (const already of [1, 5000, 70_000]) {
      const client = open(t, port)
      client.socket.write(`POST /early HTTP/1.1\r\nHost: a\r\nContent-Length: ${body.length}\r\n\r\n`)
      client.socket.write(body.slice(0, already))
      await client.until('at /early')
      // The upload ends after the answer: from then on, nobody but the gateway reads the body.
      await service.until(() => service.sockets.size === 0)
      client.socket.write(body.slice(already) + get('/next', 'Connection: close'))
      t.same(answers(await client.closed), ['200', '/early', '200', '/next'], `${already} bytes before the answer`)
    }
  })

  t.test(`${kind}: what comes behind a pending request is answered behind it`, async t => {
    const behind: readonly [string, string, string][] = [
      ['an upgrade', get('/chat', ...WEBSOCKET), '400'],
      ['an upgrade with data', `${get('/chat', ...WEBSOCKET)}data`, '400'],
      ['CONNECT', 'CONNECT b:443 HTTP/1.1\r\nHost: b:443\r\n\r\n', '405'],
      ['nonsense', 'nonsense\r\n\r\n', '400'],
      ['a head that is too long', get('/long', `X: ${'y'.repeat(20_000)}`), '431'],
      ['no host', 'GET / HTTP/1.1\r\n\r\n', '400'],
      ['an expectation', get('/x', 'Expect: a-miracle', 'Connection: close'), '417'],
      ['a bad length', 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n', '400'],
      ['a bad chunk', 'POST /p HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n', '400'],
    ]
    for (const [name, bytes, status] of behind) {
      const { service, port, ...running } = await world(t, listener)
      const client = open(t, port)
      client.socket.write(get('/slow-1') + get('/2') + bytes)
      await service.until(() => service.seen.length > 0)
      t.equal(client.text(), '', `${name}: nothing is said before the answer that is due`)
      service.release()
      t.same(answers(await client.closed), ['200', '/slow-1', '200', '/2', status], name)
      t.same(service.seen, ['GET /slow-1', 'GET /2'], `${name}: not forwarded`)
      await untilQuiet(running as Running)
      const after = open(t, port)
      after.socket.write(get('/after', 'Connection: close'))
      t.same(answers(await after.closed), ['200', '/after'], `${name}: the gateway goes on`)
    }
  })

  t.test(`${kind}: a client that leaves ends all that it started`, async t => {
    const { service, port, ...running } = await world(t, listener)
    const leave: readonly ((socket: Socket) => void)[] = [
      socket => socket.end(),
      socket => socket.destroy(),
      socket => (kind === 'http' ? socket.resetAndDestroy() : socket.destroy()),
    ]
    const tails = ['', get('/chat', ...WEBSOCKET), 'CONNECT b:443 HTTP/1.1\r\nHost: b\r\n\r\n', 'nonsense\r\n\r\n']
    for (const [index, go] of leave.entries()) {
      for (const tail of tails) {
        service.seen.length = 0
        const clients = Array.from({ length: 5 }, () => open(t, port))
        for (const { socket } of clients) socket.write(get('/slow').repeat(20) + tail)
        await service.until(() => service.seen.length === 5)
        t.equal(service.sockets.size, 5, 'one connection for each client')
        for (const { socket } of clients) go(socket)
        await service.until(() => service.sockets.size === 0)
        await untilQuiet(running as Running)
        t.equal(service.seen.length, 5, `what waited is never forwarded: ${index} ${tail}`)
      }
    }
  })

  t.test(`${kind}: a client that leaves while its upgrade is decided`, async t => {
    const { service, port, ...running } = await world(t, listener)
    const server = createServer()
    let upgrading = (): void => {}
    const asked = new Promise<void>(resolve => {
      upgrading = resolve
    })
    const gone = new Promise<void>(resolve => {
      server.on('upgrade', (_request, socket) => {
        socket.on('error', () => {})
        socket.on('end', () => {
          socket.end()
          resolve()
        })
        socket.resume()
        upgrading()
      })
    })
    const silent = await listen(t, server)
    t.ok(service)
    const { port: other, ...more } = await start(
      t,
      { 'sc-b': [{ host: '127.0.0.1', port: silent }] },
      { routes: [{ service: 'sc-b' }], listeners: [{ host: '127.0.0.1', ...listener }] },
    )
    const client = open(t, other)
    client.socket.write(get('/chat', ...WEBSOCKET))
    await asked
    client.socket.end()
    await gone
    await untilQuiet(more as Running)
    t.ok(isQuiet(running as Running) && port > 0)
  })

  t.test(`${kind}: a tunnel behind a long body and an offer of h2c ends with its client`, async t => {
    const { port, ...running } = await world(t, listener)
    const upgraded = (count: number) => new RegExp(`upgraded_connections ${count}\\n`).test(running.gateway.metrics())
    const h2c = get('/2', 'Connection: Upgrade, HTTP2-Settings', 'Upgrade: h2c', 'HTTP2-Settings: AAMAAABk')
    const body = 'b'.repeat(64_929)
    const put = `PUT /put HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`
    for (const first of [h2c, get('/1')]) {
      const client = open(t, port)
      client.socket.write(first + put + h2c)
      await client.until('at /2')
      client.socket.write(get('/chat', ...WEBSOCKET))
      await client.until('hello')
      t.ok(upgraded(1))
      client.socket.destroy()
      while (!upgraded(0)) await new Promise(resolve => setTimeout(resolve, 10))
      const pipelined = open(t, port)
      pipelined.socket.write(first + put + h2c + get('/chat', ...WEBSOCKET))
      await pipelined.until(/hello|HTTP\/1.1 400/)
      pipelined.socket.destroy()
      while (!upgraded(0)) await new Promise(resolve => setTimeout(resolve, 10))
    }
  })

  t.test(`${kind}: requests behind one that offers h2c are served`, async t => {
    const { port } = await world(t, listener)
    const h2c = ['Connection: Upgrade, HTTP2-Settings', 'Upgrade: h2c', 'HTTP2-Settings: AAMAAABk']
    const client = open(t, port)
    client.socket.write(get('/1', ...h2c) + get('/2') + get('/3', ...h2c) + get('/4'))
    await client.until('at /4')
    client.socket.write(
      `POST /5 HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n${h2c.join('\r\n')}\r\n\r\nbody${get('/6', 'Connection: close')}`,
    )
    const text = await client.closed
    t.same(
      answers(text),
      ['1', '2', '3', '4', '5', '6'].flatMap(path => ['200', `/${path}`]),
    )
  })

  t.test(`${kind}: 54 kB of requests are one connection to the upstream, and 2,000 answers in order`, async t => {
    const { service, port } = await world(t, listener)
    const client = open(t, port)
    client.socket.write(get('/slow') + get('/a').repeat(1998))
    await service.until(() => service.seen.length > 0)
    client.socket.write(get('/end', 'Connection: close'))
    let most = 0
    service.release()
    const watch = setInterval(() => {
      most = Math.max(most, service.sockets.size)
    }, 1)
    const text = await client.closed
    clearInterval(watch)
    t.equal([...text.matchAll(/at \/a/g)].length, 1998)
    t.match(text, /at \/end$/)
    t.ok(most <= 2, `${most} at most: undici takes another one while the first finishes`)
  })
}

t.test('a connection that sends more than can wait is ended', async t => {
  const { service, port, ...running } = await world(t)
  const client = dial(t, port)
  client.socket.write(get('/slow') + get('/a').repeat(6000))
  t.equal(await client.closed, '')
  await untilQuiet(running as Running)
  // The connection may have ended before the first request reached its service.
  t.strictSame(
    service.seen.filter(one => one !== 'GET /slow'),
    [],
  )
  t.match(running.gateway.metrics(), /refused_total\{reason="pipeline"} 1/)
  t.equal((await send(port, { path: '/after' })).text, 'at /after')
})
