import type { Random } from './random.js'
import type { Answer } from './response-reader.js'
import { type Behaviour, bodyOf } from './upstream.js'

/** One thing that a client sends, and what may come of it. */
export interface Item {
  readonly what: string
  readonly id: string
  readonly method: string
  readonly bytes: Buffer
  /** What is wrong with an answer to it, `undefined` when it is allowed. @param behind - it was sent behind others */
  readonly wrong: (answer: Answer, behind: boolean) => string | undefined
  /** The connection may end instead of an answer, or inside one. */
  readonly mayEnd: boolean
  /** Behind it nothing need be answered: it ends the connection, or makes it something else. */
  readonly isLast: boolean
  /** It asks for a 100 first. */
  readonly expects?: boolean
}

type Make = (random: Random, id: string) => Item

const CRLF = '\r\n'

/** Items of HTTP/1 by how often they come. */
const ITEMS: readonly (readonly [weight: number, make: Make])[] = [
  [30, (random, id) => request(random, id, 'echo', random.int(0, 50))],
  [6, (random, id) => request(random, id, 'chunks', random.int(0, 100))],
  [10, (random, id) => request(random, id, 'slow', random.int(1, 30))],
  [2, (random, id) => request(random, id, 'big', random.int(1, 150))],
  [3, (random, id) => request(random, id, 'events', random.int(1, 20))],
  [4, (random, id) => request(random, id, 'unchanged', 0)],
  [3, (random, id) => request(random, id, 'twice', 0)],
  [4, (random, id) => request(random, id, 'echo', 0, { method: 'HEAD' })],
  [8, (random, id) => withBody(random, id, random.chance(0.7) ? 'echo' : 'slow')],
  [2, (random, id) => ({ ...withBody(random, id, 'early'), mayEnd: true })],
  [2, (_, id) => refused(request(_, id, 'reset', 0), [502], true)],
  [2, broken],
  [
    2,
    (random, id) =>
      request(random, id, 'echo', 0, {
        lines: ['Upgrade: h2c', 'Connection: Upgrade, HTTP2-Settings', 'HTTP2-Settings: AAMAAABk'],
      }),
  ],
  [3, (random, id) => ({ ...request(random, id, 'echo', 0, { lines: ['Connection: close'] }), isLast: true })],
  [2, (random, id) => ({ ...request(random, id, 'echo', 0, { version: '1.0' }), isLast: true })],
  [8, upgrade],
  [5, connect],
  [3, badTarget],
  [5, garbage],
]

export function randomItem(random: Random, id: string): Item {
  return random.weighted(ITEMS)(random, id)
}

/** An item that has an answer of the upstream, and leaves the connection as it was. */
export function plainItem(random: Random, id: string): Item {
  return request(random, id, 'echo', 0)
}

interface Parts {
  readonly method?: string
  readonly version?: string
  readonly lines?: readonly string[]
  readonly body?: string
  /** What the upstream gets of it. */
  readonly bytes?: number
}

function request(random: Random, id: string, behaviour: Behaviour, number: number, parts: Parts = {}): Item {
  const { method = 'GET', version = '1.1', lines = [], body = '', bytes = 0 } = parts
  const path = `/${behaviour}/${id}/${number}`
  const target = random.chance(0.05) ? `http://a.example${path}` : path
  const head = [`${method} ${target} HTTP/${version}`, 'Host: a.example', `X-Id: ${id}`, ...lines]
  if (random.chance(0.2)) head.push('User-Agent: xiaoming')
  return {
    what: `${method} ${behaviour} ${number}${version === '1.0' ? ', HTTP/1.0' : ''}${lines.map(line => `, ${line}`).join('')}${bytes > 0 ? `, ${bytes} bytes` : ''}`,
    id,
    method,
    bytes: Buffer.from(`${head.join(CRLF)}${CRLF}${CRLF}${body}`, 'latin1'),
    mayEnd: false,
    isLast: false,
    wrong({ status, headers, body: received }) {
      const wanted = behaviour === 'unchanged' ? 304 : 200
      if (status !== wanted) return `status ${status} instead of ${wanted}: ${received.slice(0, 200)}`
      if (headers.get('x-id') !== id) return `the answer of ${headers.get('x-id')}`
      if (behaviour === 'unchanged' || method === 'HEAD') return received === '' ? undefined : 'a body'
      const fill = behaviour === 'big' ? number * 1000 : behaviour === 'echo' || behaviour === 'chunks' ? number : 0
      const text = bodyOf(id, behaviour === 'early' ? 0 : bytes, fill)
      return received === text ? undefined : `body ${JSON.stringify(received.slice(0, 80))} of ${received.length}`
    },
  }
}

function withBody(random: Random, id: string, behaviour: Behaviour): Item {
  const bytes = random.weighted([
    [5, random.int(0, 200)],
    [2, random.int(1000, 5000)],
    [1, random.int(60_000, 120_000)],
  ])
  const body = 'b'.repeat(bytes)
  const expects = random.chance(0.15)
  const lines = expects ? ['Expect: 100-continue'] : []
  const number = random.int(0, 10)
  if (random.chance(0.5)) {
    const parts = { method: 'POST', lines: [...lines, `Content-Length: ${bytes}`], body, bytes }
    return { ...request(random, id, behaviour, number, parts), expects }
  }
  let chunks = ''
  for (let at = 0; at < bytes; ) {
    const size = Math.min(bytes - at, random.int(1, Math.max(1, bytes)))
    chunks += `${size.toString(16)}${CRLF}${body.slice(at, at + size)}${CRLF}`
    at += size
  }
  const parts = {
    method: 'PUT',
    lines: [...lines, 'Transfer-Encoding: chunked'],
    body: `${chunks}0${CRLF}${CRLF}`,
    bytes,
  }
  return { ...request(random, id, behaviour, number, parts), expects }
}

/** The same, but the gateway has to refuse it. */
function refused(item: Item, statuses: readonly number[], stays: boolean): Item {
  return {
    ...item,
    mayEnd: !stays,
    isLast: !stays,
    wrong({ status, last }) {
      if (!statuses.includes(status)) return `status ${status} instead of ${statuses.join(' or ')}`
      return stays || last ? undefined : 'the connection goes on'
    },
  }
}

/** The upstream ends its connection inside the answer: what the client has must not look whole. */
function broken(random: Random, id: string): Item {
  const item = request(random, id, 'break', random.int(0, 3))
  return {
    ...item,
    mayEnd: true,
    isLast: true,
    wrong: ({ status }) => (status === 502 ? undefined : `a whole answer with status ${status}`),
  }
}

function upgrade(random: Random, id: string): Item {
  const behaviour = random.chance(0.8) ? 'tunnel' : 'refuse'
  const lines = [
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
  ]
  const item = request(random, id, behaviour, 0, { lines })
  return {
    ...item,
    what: `WebSocket ${behaviour}`,
    isLast: true,
    mayEnd: false,
    wrong({ status, headers, last }, behind) {
      const wanted = behaviour === 'tunnel' ? 101 : 403
      // Behind a request that waits it may be refused, when its turn has come.
      if (behind && (status === 400 || status === 405)) return last ? undefined : 'refused, and the connection goes on'
      if (status !== wanted) return `status ${status} instead of ${wanted}`
      return headers.get('x-id') === id ? undefined : `the answer of ${headers.get('x-id')}`
    },
  }
}

function connect(random: Random, id: string): Item {
  const target = random.pick(['a.example:443', 'a.example:80', '127.0.0.1:22', '[::1]:1'])
  const bytes = Buffer.from(`CONNECT ${target} HTTP/1.1${CRLF}Host: ${target}${CRLF}X-Id: ${id}${CRLF}${CRLF}`)
  return refused(
    { what: `CONNECT ${target}`, id, method: 'CONNECT', bytes, wrong: none, mayEnd: true, isLast: true },
    [400, 405, 501],
    false,
  )
}

/** Requests that are HTTP and that nobody should forward. */
function badTarget(random: Random, id: string): Item {
  const text = random.pick([
    `GET /echo/${id}/0 HTTP/1.1${CRLF}Host: a${CRLF}Host: b${CRLF}X-Id: ${id}${CRLF}${CRLF}`,
    `GET /echo/${id}/0 HTTP/1.1${CRLF}Host: u@a${CRLF}X-Id: ${id}${CRLF}${CRLF}`,
    `GET ftp://a/echo/${id}/0 HTTP/1.1${CRLF}Host: a${CRLF}X-Id: ${id}${CRLF}${CRLF}`,
    `OPTIONS * HTTP/1.1${CRLF}Host: a${CRLF}X-Id: ${id}${CRLF}${CRLF}`,
  ])
  const bytes = Buffer.from(text, 'latin1')
  const what = JSON.stringify(text.slice(0, 60))
  const item = { what, id, method: text.slice(0, text.indexOf(' ')), bytes, wrong: none, mayEnd: true, isLast: false }
  // It says itself whether the connection goes on.
  return { ...refused(item, [400], true), mayEnd: true }
}

/** Bytes that are no HTTP, or that two parsers could read in two ways. */
function garbage(random: Random, id: string): Item {
  const head = `POST /echo/${id}/0 HTTP/1.1${CRLF}Host: a${CRLF}X-Id: ${id}${CRLF}`
  const bytes = random.pick<() => Buffer>([
    () => Buffer.concat([Buffer.from('\0'), random.bytes(random.int(1, 200))]),
    () => Buffer.from(`GET /a b c HTTP/1.1${CRLF}${CRLF}`),
    () => Buffer.from(`GET / HTTP/9.9${CRLF}${CRLF}`),
    () => Buffer.from(`${head}Content-Length: 1${CRLF}Content-Length: 2${CRLF}${CRLF}ab`),
    () => Buffer.from(`${head}Content-Length: 5${CRLF}Transfer-Encoding: chunked${CRLF}${CRLF}0${CRLF}${CRLF}`),
    () => Buffer.from(`${head}Transfer-Encoding: chunked${CRLF}${CRLF}zz${CRLF}`),
    () => Buffer.from(`${head}Transfer-Encoding: chunked${CRLF}${CRLF}5${CRLF}abcdefgh${CRLF}0${CRLF}${CRLF}`),
    () => Buffer.from(`${head}Content-Length: -1${CRLF}${CRLF}`),
    () => Buffer.from(`${head} folded${CRLF}Content-Length : 1${CRLF}${CRLF}a`),
    () => Buffer.from(`GET / HTTP/1.1${CRLF}X: ${'y'.repeat(70_000)}${CRLF}${CRLF}`),
    () => Buffer.from(`GET / HTTP/1.1${CRLF}X: \u0001${CRLF}${CRLF}`, 'latin1'),
    () => Buffer.from(`PRI * HTTP/2.0${CRLF}${CRLF}SM${CRLF}${CRLF}`),
    () => Buffer.from(`\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03`, 'latin1'),
  ])()
  const what = `garbage ${JSON.stringify(bytes.subarray(0, 60).toString('latin1'))}, ${bytes.length} bytes`
  const item = { what, id, method: 'GET', bytes, wrong: none, mayEnd: true, isLast: true }
  // 502 where a body breaks off that the upstream has begun to get.
  return refused(item, [400, 408, 413, 431, 502, 505], false)
}

function none(): undefined {
  return undefined
}
