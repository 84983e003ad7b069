import { execFile, spawnSync } from 'node:child_process'
import { createServer, type IncomingMessage } from 'node:http'
import https from 'node:https'
import { promisify } from 'node:util'
import { currentLane } from '@laneway/core'
import { listen, rawRequest } from '@laneway/testkit'
import { cert, key } from '@laneway/testkit/certificate'
import t, { type Test } from 'tap'
import { type RawData, WebSocket, WebSocketServer } from 'ws'
import { dial, send, start, startServices } from './world.js'

const routes = [{ service: 'sc-a' }]
const rules = {
  version: 1 as const,
  rules: [{ name: 'tester', when: { header: { name: 'user-agent', exact: 'xiaoming' } }, lane: 'gray' }],
}

/** A WebSocket backend that says who it is, and echoes. */
async function backend(t: Test, at: string, seen: IncomingMessage[] = []): Promise<number> {
  const server = createServer((_request, response) => {
    response.end(at)
  })
  const sockets = new WebSocketServer({ server, handleProtocols: protocols => [...protocols][0] ?? false })
  sockets.on('connection', (socket, request) => {
    seen.push(request)
    socket.send(`${at} ${request.headers['x-mse-tag'] ?? 'base'}`)
    socket.on('message', (data, binary) => socket.send(data, { binary }))
    socket.on('error', () => {})
  })
  return listen(t, server)
}

function messages(socket: WebSocket): () => Promise<string> {
  const queue: string[] = []
  let wake = (): void => {}
  socket.on('message', (data: RawData) => {
    queue.push(String(data))
    wake()
  })
  return async () => {
    while (queue.length === 0) {
      await new Promise<void>(resolve => {
        wake = resolve
      })
    }
    return queue.shift()!
  }
}

t.test('a WebSocket goes to the lane of its upgrade request', async t => {
  const services = {
    'sc-a': [
      { host: '127.0.0.1', port: await backend(t, 'base') },
      { host: '127.0.0.1', port: await backend(t, 'gray'), tags: ['gray'] },
    ],
  }
  const { gateway, port, logged } = await start(t, services, { routes, rules })
  for (const [agent, first] of [
    ['xiaoming', 'gray gray'],
    ['curl', 'base base'],
    ['xiaoming', 'gray gray'],
  ] as const) {
    const socket = new WebSocket(`ws://127.0.0.1:${port}/chat?a=1`, ['chat.v1', 'chat.v2'], {
      headers: { 'user-agent': agent, 'x-mse-tag': 'gray' },
    })
    const next = messages(socket)
    t.equal(await next(), first)
    t.equal(socket.protocol, 'chat.v1')
    for (const text of ['one', 'two', 'x'.repeat(200_000)]) {
      socket.send(text)
      t.equal(await next(), text)
    }
    t.match(gateway.metrics(), /upgraded_connections 1\n/)
    const closed = new Promise<number>(resolve => socket.on('close', resolve))
    socket.close(4000, 'done')
    t.equal(await closed, 4000, 'the closing handshake goes through')
    t.match(await logged(), { status: 101, path: '/chat', lane: agent === 'xiaoming' ? 'gray' : undefined })
  }
  t.match(gateway.metrics(), /upgraded_connections 0\n/)
  t.match(gateway.metrics(), /in_flight_requests 0\n/)
})

t.test('when either end breaks off, the other does', async t => {
  const seen: IncomingMessage[] = []
  const services = { 'sc-a': [{ host: '127.0.0.1', port: await backend(t, 'base', seen) }] }
  const { port } = await start(t, services, { routes })
  const one = new WebSocket(`ws://127.0.0.1:${port}/`)
  await messages(one)()
  const gone = new Promise<void>(resolve => seen[0]!.socket.on('close', () => resolve()))
  one.terminate()
  await gone
  const other = new WebSocket(`ws://127.0.0.1:${port}/`)
  other.on('error', () => {})
  await messages(other)()
  const closed = new Promise<number>(resolve => other.on('close', resolve))
  seen[1]!.socket.destroy()
  t.equal(await closed, 1006)
})

t.test('an upstream that does not switch answers the client', async t => {
  const services = await startServices(t, {
    'sc-a': [
      {
        handler: (request, response) => {
          response.writeHead(401, { 'www-authenticate': 'Basic', 'x-url': request.url })
          response.end('who are you')
        },
      },
    ],
  })
  const { port, logged } = await start(t, services, { routes })
  const answer = await rawRequest(
    port,
    'GET /chat HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n',
  )
  t.match(answer, /^HTTP\/1\.1 401 Unauthorized\r\n/)
  t.match(answer, /who are you/)
  t.match(await logged(), { status: 401, path: '/chat' })
  const { port: nowhere } = await start(t, {}, { routes: [{ host: 'elsewhere', service: 'sc-a' }] })
  t.match(
    await rawRequest(nowhere, 'GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n'),
    /^HTTP\/1\.1 404 /,
  )
})

t.test('a WebSocket over TLS', async t => {
  const services = { 'sc-a': [{ host: '127.0.0.1', port: await backend(t, 'base') }] }
  for (const http2 of [true, false]) {
    const { port } = await start(t, services, {
      routes,
      listeners: [{ host: '127.0.0.1', protocol: 'https', tls: { cert, key, http2 } }],
    })
    const socket = new WebSocket(`wss://localhost:${port}/`, { ca: cert, agent: new https.Agent() })
    const next = messages(socket)
    t.equal(await next(), 'base base', `HTTP/2 ${http2}`)
    socket.send('hello')
    t.equal(await next(), 'hello')
    const closed = new Promise(resolve => socket.on('close', resolve))
    socket.close()
    await closed
  }
})

const H2C =
  'Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAEAAEAAAAIAAAABAAMAAABkAAQBAAAAAAUAAEAA\r\n'

t.test('a request that offers an upgrade to h2c is a request, with its body and those behind it', async t => {
  const services = await startServices(t, { 'sc-a': [{}, { tag: 'gray' }] })
  const { port } = await start(t, services, { routes, rules })
  const get = (path: string) => `GET ${path} HTTP/1.1\r\nHost: a\r\nUser-Agent: xiaoming\r\n${H2C}\r\n`
  const raw = dial(t, port)
  raw.socket.write(get('/1'))
  await raw.until('"url":"/1"')
  raw.socket.write(`POST /2 HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n${H2C}\r\nbody`)
  await raw.until('"url":"/2"')
  raw.socket.write(`POST /3 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n${H2C}\r\n4\r\nmore\r\n0\r\n\r\n`)
  await raw.until('"url":"/3"')
  raw.socket.write(`GET /4 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`)
  const text = await raw.closed
  const answers = [...text.matchAll(/\{"at".*?\}(?=\r\n|HTTP|$)/g)].map(([json]) => JSON.parse(json))
  t.same(
    answers.map(({ at, url, body }) => [at, url, body]),
    [
      ['sc-a-gray', '/1', ''],
      ['sc-a', '/2', 'body'],
      ['sc-a', '/3', 'more'],
      ['sc-a', '/4', ''],
    ],
  )
  for (const { headers } of answers) {
    t.notOk('upgrade' in headers)
    t.notOk('http2-settings' in headers)
  }
})

const hasJava = spawnSync('java', ['-version']).status === 0

t.test('java.net.http is served', { skip: hasJava ? false : 'no Java here' }, async t => {
  const services = await startServices(t, { 'sc-a': [{}] })
  const { port } = await start(t, services, { routes })
  const { stdout } = await promisify(execFile)('java', [
    '-XX:TieredStopAtLevel=1',
    'packages/gateway/test/programs/Client.java',
    `http://127.0.0.1:${port}/java`,
  ])
  const lines = stdout.trim().split('\n')
  t.equal(lines.length, 3)
  for (const line of lines) {
    const [, method, version, status, json] = /^(\w+) (\w+) (\d+) (.*)$/.exec(line)!
    t.equal(status, '200')
    t.equal(version, 'HTTP_1_1')
    t.match(JSON.parse(json!), { url: '/java', method, body: method === 'POST' ? 'from java' : '' })
  }
})

t.test('code that the gateway calls for an upgrade runs in its lane', async t => {
  const services = { 'sc-a': [{ host: '127.0.0.1', port: await backend(t, 'base') }] }
  const lanes: (string | undefined)[] = []
  const { port } = await start(t, services, {
    routes,
    rules: {
      decide: () => {
        lanes.push(currentLane()?.header)
        return undefined
      },
    },
  })
  t.equal((await send(port)).text, 'base')
  const socket = new WebSocket(`ws://127.0.0.1:${port}/`)
  await messages(socket)()
  const closed = new Promise(resolve => socket.on('close', resolve))
  socket.close()
  await closed
  t.same(lanes, [undefined, undefined], 'rules are asked once per request, before it has a lane')
})
