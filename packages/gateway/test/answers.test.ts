// What an upstream may answer, and what the client gets of it. Run on every supported Node, see node-versions.test.ts.
import http2 from 'node:http2'
import { rawRequest } from '@laneway/testkit'
import { cert, key } from '@laneway/testkit/certificate'
import t from 'tap'
import { ask, rawUpstream } from './raw-upstream.js'
import { dial, start } from './world.js'

interface Case {
  readonly name: string
  readonly bytes: string
  readonly method?: 'HEAD'
  /** Status, then lines of the head; without them the answer is a 502 whose code is `bad_answer`. */
  readonly http1: readonly (string | RegExp)[] | 'reset' | 'bad'
  readonly http2: Readonly<Record<string, unknown>> | 'reset' | 'bad'
  readonly body?: string
  readonly keep?: true
}

const ok = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n'
const again = (name: string, one: string, other: string) => `${ok}${name}: ${one}\r\n${name}: ${other}\r\n\r\nok`

/** Fields of which Node's HTTP/2 writes one line only. */
const single = [
  ['access-control-allow-credentials', 'true'],
  ['access-control-max-age', '1'],
  ['age', '1'],
  ['content-encoding', 'x-none'],
  ['content-language', 'en'],
  ['content-location', '/a'],
  ['content-range', 'bytes 0-1/2'],
  ['content-type', 'text/plain'],
  ['date', 'Tue, 15 Nov 1994 08:12:31 GMT'],
  ['etag', '"a"'],
  ['expires', '0'],
  ['last-modified', 'Tue, 15 Nov 1994 08:12:31 GMT'],
  ['location', '/a'],
  ['retry-after', '1'],
  ['tk', 'N'],
  ['user-agent', 'a'],
  ['x-content-type-options', 'nosniff'],
] as const

const cases: readonly Case[] = [
  ...single.flatMap(([name, value]) => [
    {
      name: `${name} twice`,
      bytes: again(name, value, value),
      http1: ['200', `${name}: ${value}\r\n${name}: ${value}\r\n`],
      http2: { ':status': 200, [name]: value },
      body: 'ok',
    },
    {
      name: `${name} twice, differing`,
      bytes: again(name, value, `${value}2`),
      http1: ['200', `${name}: ${value}\r\n${name}: ${value}2\r\n`],
      http2: { ':status': 200, [name]: value },
      body: 'ok',
    },
  ]),
  {
    name: 'fields that may come more often',
    bytes: `${ok}Set-Cookie: a=1\r\nSet-Cookie: b=2\r\nVary: a\r\nVary: b\r\nX-Any: 1\r\nX-Any: 2\r\n\r\nok`,
    http1: ['200', 'Set-Cookie: a=1\r\nSet-Cookie: b=2\r\n', 'Vary: a\r\nVary: b\r\n'],
    http2: { ':status': 200, 'set-cookie': ['a=1', 'b=2'], vary: 'a, b', 'x-any': '1, 2' },
    body: 'ok',
  },
  {
    name: '304 with the length of what it stands for',
    bytes: 'HTTP/1.1 304 Not Modified\r\nETag: "a"\r\nContent-Length: 5000\r\n\r\n',
    http1: ['304', 'ETag: "a"', 'Content-Length: 5000'],
    http2: { ':status': 304, etag: '"a"' },
    body: '',
  },
  {
    name: '304 on a connection that stays open',
    bytes: 'HTTP/1.1 304 Not Modified\r\nContent-Length: 5000\r\n\r\n',
    http1: ['304'],
    http2: { ':status': 304 },
    body: '',
    keep: true,
  },
  {
    name: '204 with a length',
    bytes: 'HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n',
    http1: ['204'],
    http2: { ':status': 204 },
    body: '',
  },
  {
    name: '204 with a body',
    bytes: 'HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\nhello',
    http1: ['204'],
    http2: { ':status': 204 },
    body: '',
  },
  {
    name: '205 with a body',
    bytes: 'HTTP/1.1 205 Reset Content\r\nContent-Length: 5\r\n\r\nhello',
    http1: ['205'],
    http2: { ':status': 205 },
  },
  {
    name: '205 with chunks',
    bytes: 'HTTP/1.1 205 Reset Content\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n',
    http1: ['205'],
    http2: { ':status': 205 },
  },
  {
    name: 'HEAD with a body',
    method: 'HEAD',
    bytes: 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello',
    http1: ['200', 'Content-Length: 5'],
    http2: { ':status': 200, 'content-length': '5' },
    body: '',
  },
  {
    name: 'an interim answer first',
    bytes: `HTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\n${ok}\r\nok`,
    http1: ['200'],
    http2: { ':status': 200 },
    body: 'ok',
  },
  {
    name: 'an unknown interim answer first',
    bytes: `HTTP/1.1 199 Soon\r\n\r\n${ok}\r\nok`,
    http1: ['200'],
    http2: { ':status': 200 },
    body: 'ok',
  },
  {
    name: '101 that nobody asked for',
    bytes: 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n',
    http1: 'bad',
    http2: 'bad',
    keep: true,
  },
  { name: '101 without Upgrade', bytes: 'HTTP/1.1 101 Go\r\n\r\n', http1: 'bad', http2: 'bad', keep: true },
  { name: '100 that nobody asked for', bytes: `HTTP/1.1 100 Go\r\n\r\n${ok}\r\nok`, http1: 'bad', http2: 'bad' },
  { name: 'status 0', bytes: 'HTTP/1.1 000 x\r\nContent-Length: 0\r\n\r\n', http1: 'bad', http2: 'bad', keep: true },
  { name: 'status 99', bytes: 'HTTP/1.1 099 x\r\nContent-Length: 0\r\n\r\n', http1: 'bad', http2: 'bad', keep: true },
  ...[299, 499, 599].map(status => ({
    name: `status ${status}`,
    bytes: `HTTP/1.1 ${status} x\r\nContent-Length: 2\r\n\r\nok`,
    http1: [String(status)],
    http2: { ':status': status },
    body: 'ok',
  })),
  ...[600, 777, 999].map(status => ({
    name: `status ${status}, which HTTP/2 of Node cannot say`,
    bytes: `HTTP/1.1 ${status} x\r\nContent-Length: 2\r\n\r\nok`,
    http1: [String(status)],
    http2: 'bad' as const,
  })),
  ...['', 'Größe', 'caf\xe9', '漢字', 'a\tb', '\x80\xff'].map(phrase => ({
    name: `the reason ${JSON.stringify(phrase)}`,
    bytes: `HTTP/1.1 200 ${phrase}\r\nContent-Length: 2\r\n\r\nok`,
    http1: ['200'],
    http2: { ':status': 200 },
    body: 'ok',
  })),
  {
    name: 'fields of its own connection',
    bytes: `${ok}Connection: keep-alive, X-Own\r\nX-Own: 1\r\nKeep-Alive: timeout=5\r\nProxy-Connection: x\r\nUpgrade: h2c\r\nHTTP2-Settings: x\r\nTE: x\r\n\r\nok`,
    http1: ['200', /^(?!.*\n(?:X-Own|Proxy-Connection|Upgrade|HTTP2-Settings|TE):)/is],
    http2: { ':status': 200, 'x-own': undefined, upgrade: undefined, te: undefined },
    body: 'ok',
  },
  {
    name: 'fields with names of objects, and bytes above ASCII',
    bytes: `${ok}__proto__: x\r\nconstructor: y\r\nX-Text: caf\xe9\r\n\r\nok`,
    http1: ['200', '__proto__: x', 'constructor: y', 'X-Text: caf\xe9'],
    http2: { ':status': 200, 'x-text': 'caf\xe9' },
    body: 'ok',
  },
  {
    name: 'trailers that Node allows once, twice, and such as are none',
    bytes:
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nETag: a\r\nETag: b\r\nContent-Type: x\r\nX-Sum: 1\r\nX-Sum: 2\r\n\r\n',
    http1: ['200'],
    http2: { ':status': 200 },
  },
  {
    name: 'length and chunks',
    bytes: `${ok}Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n`,
    http1: 'bad',
    http2: 'bad',
  },
  { name: 'two lengths', bytes: `${ok}Content-Length: 2\r\n\r\nok`, http1: 'bad', http2: 'bad' },
  { name: 'a control character', bytes: `${ok}X: a\x01b\r\n\r\nok`, http1: ['502'], http2: { ':status': 502 } },
  { name: 'no HTTP', bytes: 'SSH-2.0-OpenSSH_9.6\r\n', http1: ['502'], http2: { ':status': 502 } },
  { name: 'nothing', bytes: '', http1: ['502'], http2: { ':status': 502 } },
  { name: 'a head of 20 kB', bytes: `${ok}X: ${'y'.repeat(20_000)}\r\n\r\nok`, http1: 'bad', http2: 'bad' },
  {
    name: 'a body that is too short',
    bytes: 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab',
    http1: 'reset',
    http2: 'reset',
  },
]

/** An end before the head is none, what follows is one that cannot be read. */
const NO_ANSWER = /^(upstream-reset|bad-answer)$/

t.test('a client gets the upstream’s answer, or a 502 that says why', async t => {
  const { at, port: service } = await rawUpstream(t)
  const errors: string[] = []
  const { gateway, logged } = await start(
    t,
    { 'sc-a': [{ host: '127.0.0.1', port: service }] },
    {
      routes: [{ service: 'sc-a' }],
      listeners: [
        { host: '127.0.0.1' },
        { host: '127.0.0.1', protocol: 'h2c' },
        { host: '127.0.0.1', protocol: 'https', tls: { cert, key } },
      ],
      onUpstreamError: error => errors.push(String(error)),
    },
  )
  const sessions = [
    http2.connect(`http://127.0.0.1:${gateway.address(1).port}`),
    http2.connect(`https://localhost:${gateway.address(2).port}`, { ca: cert }),
  ]
  for (const session of sessions) {
    session.on('error', () => {})
    t.teardown(() => session.destroy())
  }
  for (const { name, bytes, method = 'GET', http1, http2: expected, body, keep = false } of cases) {
    at.bytes = Buffer.from(bytes, [...bytes].some(char => char > '\xff') ? 'utf8' : 'latin1')
    at.keep = keep
    const text = await rawRequest(
      gateway.address(0).port,
      `${method} / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`,
    )
    const { error } = await logged()
    if (http1 === 'bad') {
      t.match(text, /^HTTP\/1\.1 502 Bad Gateway\r\n.*"code":"bad_answer"/s, `${name}, HTTP/1.1`)
      t.equal(error, 'bad-answer', name)
    } else if (http1 === 'reset') t.equal(error, 'upstream-reset-in-answer', name)
    else {
      const [status, ...lines] = http1
      t.match(text, new RegExp(`^HTTP/1\\.1 ${status} [\\t\\x20-\\xff]*\\r\\n`), `${name}, HTTP/1.1`)
      for (const line of lines) t.match(text, line, `${name}, HTTP/1.1`)
      if (body !== undefined) t.ok(text.endsWith(`\r\n\r\n${body}`), `${name}, HTTP/1.1: ${text}`)
      t.match(error, status === '502' ? NO_ANSWER : undefined, name)
    }
    for (const [index, session] of sessions.entries()) {
      const what = `${name}, HTTP/2 ${index}`
      const got = await ask(session, method)
      const { error } = await logged()
      if (expected === 'bad') {
        t.equal(got.headers?.[':status'], 502, what)
        t.match(got.body, '"code":"bad_answer"', what)
        t.equal(error, 'bad-answer', what)
      } else if (expected === 'reset') t.not(got.code, 0, what)
      else {
        t.match(got.headers, expected, what)
        if (body !== undefined) t.equal(got.body, body, what)
        t.equal(got.code, 0, what)
        t.match(error, expected[':status'] === 502 ? NO_ANSWER : undefined, what)
      }
    }
  }
  t.match(gateway.metrics(), /in_flight_requests 0\n/)
  t.ok(errors.some(error => /status 101/.test(error)))
})

t.test('the head of an answer is sent before its body', async t => {
  const { at, port: service } = await rawUpstream(t)
  const { gateway } = await start(
    t,
    { 'sc-a': [{ host: '127.0.0.1', port: service }] },
    { routes: [{ service: 'sc-a' }], listeners: [{ host: '127.0.0.1' }] },
  )
  at.keep = true
  for (const head of [
    'Content-Type: text/event-stream\r\nTransfer-Encoding: chunked',
    'Content-Type: text/event-stream\r\nConnection: close',
    'Content-Length: 1000',
  ]) {
    for (const version of ['1.1', '1.0']) {
      at.bytes = Buffer.from(`HTTP/1.1 200 OK\r\n${head}\r\n\r\n`)
      const client = dial(t, gateway.address(0).port)
      client.socket.write(`GET / HTTP/${version}\r\nHost: a\r\n\r\n`)
      t.match(await client.until('\r\n\r\n'), /^HTTP\/1\.1 200 OK\r\n/, `${head}, HTTP/${version}`)
      client.socket.destroy()
    }
  }
})

t.test('an answer that breaks off breaks off for a client of HTTP/1.0 over TLS', async t => {
  const { at, port: service } = await rawUpstream(t)
  const { gateway, logged } = await start(
    t,
    { 'sc-a': [{ host: '127.0.0.1', port: service }] },
    { routes: [{ service: 'sc-a' }], listeners: [{ host: '127.0.0.1', protocol: 'https', tls: { cert, key } }] },
  )
  const { connect } = await import('node:tls')
  at.bytes = Buffer.from('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhe')
  const client = connect({ port: gateway.address(0).port, host: '127.0.0.1', ca: cert, servername: 'localhost' })
  client.on('error', () => {})
  const closed = new Promise(resolve => client.on('close', resolve))
  client.write('GET / HTTP/1.0\r\n\r\n')
  client.resume()
  await closed
  t.match(await logged(), { error: 'upstream-reset-in-answer' })
})
