// The README's table of requests: each row is tried, and each case has its row.
import { createServer } from 'node:http'
import { connect, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { listen } from '@laneway/testkit'
import { cert, key } from '@laneway/testkit/certificate'
import t, { type Test } from 'tap'
import { type Fields, headerFrames, opening, type RawAnswer, readAnswer } from './http2-raw.js'
import { readmeTable } from './readme-table.js'
import { REQUEST_CASES, type RequestCase, type Seen } from './request-cases.js'
import { send, start } from './world.js'

const tls = { cert, key }
const listeners = [
  { host: '127.0.0.1' },
  { host: '127.0.0.1', protocol: 'https' as const, tls },
  { host: '127.0.0.1', protocol: 'h2c' as const },
]
const limits = { headersTimeoutMs: 300, stallTimeoutMs: 300, handshakeTimeoutMs: 300, keepAliveMs: 300 }
const GATEWAYS: Readonly<Record<NonNullable<RequestCase['gateway']>, object>> = {
  ordinary: {},
  proxied: { proxies: 1 },
  renamed: { header: 'x-lane' },
  hasty: { client: limits },
}

async function world(t: Test) {
  const seen: Seen[] = []
  const held: (() => void)[] = []
  const service = await listen(
    t,
    createServer((request, response) => {
      let body = ''
      request.on('error', () => {})
      request.on('data', chunk => {
        body += chunk
      })
      request.on('end', () => {
        const { method, url, headers } = request
        seen.push({ method, url, headers, body } as Seen)
        if (url === '/held') held.push(() => response.end('held'))
        else response.end(url === '/endless' ? Buffer.alloc(50_000_000) : 'served')
      })
    }),
  )
  const services = { 'sc-a': [{ host: '127.0.0.1', port: service }] }
  const ports: Record<string, number[]> = {}
  const metrics: Record<string, () => string> = {}
  for (const [name, options] of Object.entries(GATEWAYS)) {
    const { gateway } = await start(t, services, { routes: [{ service: 'sc-a' }], ...options, listeners })
    metrics[name] = () => gateway.metrics()
    ports[name] = listeners.map((_, index) => gateway.address(index).port)
  }
  return { seen, held, ports, metrics }
}

function open(t: Test, port: number, alpn: string | undefined): Socket {
  const at = { port, host: '127.0.0.1' }
  const socket =
    alpn === undefined ? connect(at) : connectTls({ ...at, ca: cert, servername: 'localhost', ALPNProtocols: [alpn] })
  socket.on('error', () => {})
  t.teardown(() => socket.destroy())
  return socket
}

/** Everything that comes back until the connection ends. */
function readAll(socket: Socket): Promise<string> {
  return new Promise(resolve => {
    let text = ''
    socket.on('data', chunk => {
      text += chunk.toString('latin1')
    })
    socket.on('close', () => resolve(text))
  })
}

const problem = (text: string): string | undefined => {
  const [, status, code] = /"status":(\d+).*"code":"(\w+)"/.exec(text) ?? []
  return status === undefined ? undefined : `${status} \`${code}\``
}

function outcomeOf(text: string, seen: readonly Seen[], look: RequestCase['look']): string {
  const refused = problem(text)
  if (refused !== undefined) return seen.length === 0 ? refused : `${refused}, and forwarded`
  if (seen.length === 1 && /served/.test(text)) return look?.(seen[0]!) ?? 'passed on'
  return /^HTTP\/1\.1 (\d+)/.exec(text)?.[1] ?? 'connection closed'
}

function http2Outcome(answer: RawAnswer, seen: readonly Seen[], look: RequestCase['look']): string {
  if (answer.reset !== undefined) return seen.length === 0 ? 'stream reset' : 'stream reset, and forwarded'
  if (answer.closed) return 'connection closed'
  // The head of an answer is compressed; what has no body and no request upstream is a refusal.
  return answer.data === '' ? '417' : outcomeOf(answer.data, seen, look)
}

type World = Awaited<ReturnType<typeof world>>

/** Rows about connections rather than requests: each gives its outcome, by protocol. */
interface ConnectionCase {
  readonly http1?: (t: Test, world: World, port: number, alpn: string | undefined) => Promise<string>
  readonly http2?: (t: Test, world: World, port: number, alpn: string | undefined) => Promise<string>
  readonly gateway?: 'hasty'
}

const GET = (path: string, ...lines: string[]) =>
  `${[`GET ${path} HTTP/1.1`, 'Host: a', ...lines].join('\r\n')}\r\n\r\n`
const WEBSOCKET = GET(
  '/chat',
  ...[
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==',
  ],
)
const stream = (number: number, path: string) =>
  headerFrames(
    number,
    [
      [':method', 'GET'],
      [':path', path],
      [':scheme', 'http'],
      [':authority', 'a'],
    ],
    true,
  )

/** How many of two requests are at the upstream, when it has had time to get both. */
async function together({ held, ports }: World): Promise<string> {
  for (let probes = 0; probes < 20 && held.length < 2; probes++) await send(ports['ordinary']![0]!)
  const found = held.length
  for (let released = 0; released < 2; await new Promise(resolve => setImmediate(resolve))) {
    for (; held.length > 0; released++) held.pop()!()
  }
  return found === 2 ? 'at the same time' : 'one after the other'
}

/** Behind a request that waits for its answer. */
async function behind(t: Test, { held }: World, port: number, alpn: string | undefined, what: string): Promise<string> {
  const socket = open(t, port, alpn)
  const text = readAll(socket)
  socket.write(GET('/held') + what)
  while (held.length === 0) await new Promise(resolve => setImmediate(resolve))
  held.pop()!()
  return problem(await text) ?? 'passed on'
}

const silent = async (t: Test, port: number): Promise<string> => {
  await readAll(open(t, port, undefined))
  return 'connection closed'
}

const CONNECTION_CASES: Readonly<Record<string, ConnectionCase>> = {
  'Several requests on one connection': {
    async http1(t, world, port, alpn) {
      open(t, port, alpn).write(GET('/held') + GET('/held'))
      return together(world)
    },
    async http2(t, world, port, alpn) {
      open(t, port, alpn).write(Buffer.concat([opening, stream(1, '/held'), stream(3, '/held')]))
      return together(world)
    },
  },
  'A WebSocket upgrade behind a request without an answer': {
    http1: (t, world, port, alpn) => behind(t, world, port, alpn, WEBSOCKET),
  },
  '`CONNECT` behind a request without an answer': {
    http1: (t, world, port, alpn) => behind(t, world, port, alpn, 'CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n'),
  },
  'An answer that is not taken for `client.stallTimeoutMs`': {
    gateway: 'hasty',
    async http1(t, { metrics }, port, alpn) {
      const socket = open(t, port, alpn)
      socket.pause().write(GET('/endless'))
      while (!/in_flight_requests 1\n/.test(metrics.hasty!())) await new Promise(resolve => setImmediate(resolve))
      while (!/in_flight_requests 0\n/.test(metrics.hasty!())) await new Promise(resolve => setTimeout(resolve, 20))
      await readAll(socket.resume())
      return 'connection closed'
    },
    async http2(t, _world, port, alpn) {
      const socket = open(t, port, alpn)
      const answer = readAnswer(socket)
      socket.write(Buffer.concat([opening, stream(1, '/endless')]))
      return (await answer).reset === undefined ? 'served' : 'stream reset'
    },
  },
  'No request for `client.keepAliveMs`': {
    gateway: 'hasty',
    async http1(t, _world, port, alpn) {
      const socket = open(t, port, alpn)
      socket.write(GET('/x'))
      return /served/.test(await readAll(socket)) ? 'connection closed' : 'not served'
    },
    async http2(t, _world, port, alpn) {
      const socket = open(t, port, alpn)
      const answer = readAnswer(socket)
      const end = readAll(socket)
      socket.write(Buffer.concat([opening, stream(1, '/x')]))
      t.equal((await answer).data, 'served')
      await end
      return 'connection closed'
    },
  },
  'A handshake of TLS that takes longer than `client.handshakeTimeoutMs`': {
    gateway: 'hasty',
    http1: (t, { ports }) => silent(t, ports['hasty']![1]!),
    http2: (t, { ports }) => silent(t, ports['hasty']![1]!),
  },
}

t.test('what the gateway does with a connection is what its README says', async t => {
  const made = await world(t)
  const rows = readmeTable('## What it refuses, strips and passes on')
  for (const [name, { gateway = 'ordinary', ...versions }] of Object.entries(CONNECTION_CASES)) {
    const cells = rows.find(([one]) => one === name) ?? []
    const [http, https, h2c] = made.ports[gateway] as [number, number, number]
    for (const [column, [version, ports]] of Object.entries({
      http1: [
        [http, undefined],
        [https, 'http/1.1'],
      ],
      http2: [
        [h2c, undefined],
        [https, 'h2'],
      ],
    } as const).entries()) {
      const play = versions[version as 'http1']
      const expected = cells[column + 1]
      if (play === undefined) t.equal(expected, '—', `${name}: not in ${version}`)
      else
        for (const [port, alpn] of ports)
          t.equal(await play(t, made, port, alpn), expected, `${version}, ${alpn ?? 'plain'}: ${name}`)
    }
  }
})

t.test('what the gateway does with a request is what its README says', async t => {
  const { seen, ports } = await world(t)
  const rows = readmeTable('## What it refuses, strips and passes on')
  t.same(
    rows.map(([name]) => name).sort(),
    [...Object.keys(REQUEST_CASES), ...Object.keys(CONNECTION_CASES)].sort(),
    'rows and cases',
  )
  for (const [name, case_] of Object.entries(REQUEST_CASES)) {
    const { gateway = 'ordinary', http1, http2, look } = case_
    const [, first, second] = rows.find(([one]) => one === name) ?? []
    const [http, https, h2c] = ports[gateway] as [number, number, number]
    for (const [index, bytes] of (http1 ?? []).entries()) {
      for (const [port, alpn] of [
        [http, undefined],
        [https, 'http/1.1'],
      ] as const) {
        seen.length = 0
        const socket = open(t, port, alpn)
        socket.write(bytes, 'latin1')
        t.equal(outcomeOf(await readAll(socket), seen, look), first, `HTTP/1.1, ${alpn ?? 'plain'}: ${name}, ${index}`)
      }
    }
    for (const [index, request] of (http2 ?? []).entries()) {
      for (const [port, alpn] of [
        [h2c, undefined],
        [https, 'h2'],
      ] as const) {
        seen.length = 0
        const socket = open(t, port, alpn)
        const answer = readAnswer(socket)
        const isBytes = Buffer.isBuffer(request)
        const noHttp2 = isBytes && request.subarray(0, 3).toString() === 'GET'
        if (!noHttp2) socket.write(opening)
        socket.write(isBytes ? request : headerFrames(1, request as Fields, true))
        const outcome = http2Outcome(await answer, seen, look)
        // Newer versions of Node refuse more by themselves.
        t.ok(second?.split(', or ').includes(outcome), `${outcome}, HTTP/2, ${alpn ?? 'plain'}: ${name}, ${index}`)
        socket.destroy()
      }
    }
    if (http1 === undefined) t.equal(first, '—', `${name}: not in HTTP/1.1`)
    if (http2 === undefined) t.equal(second, '—', `${name}: not in HTTP/2`)
  }
})
