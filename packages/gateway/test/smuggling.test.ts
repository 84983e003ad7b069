import { createServer } from 'node:http'
import { listen, rawRequest } from '@laneway/testkit'
import t from 'tap'
import { send, start } from './world.js'

interface Shape {
  readonly name: string
  readonly bytes: string
  /** Refused, or the paths that upstreams may see. */
  readonly passes?: readonly string[]
  readonly host?: string
}

const NEXT = 'GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n'
const end = 'Connection: close\r\n'

const shapes: readonly Shape[] = [
  {
    name: 'length and chunks',
    bytes: `POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${NEXT}`,
  },
  {
    name: 'chunks and length',
    bytes: `POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n${NEXT}`,
  },
  {
    name: 'two lengths',
    bytes: `POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nContent-Length: 40\r\n\r\n${NEXT}`,
  },
  { name: 'a list of lengths', bytes: `POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 0, 40\r\n\r\n${NEXT}` },
  { name: 'a signed length', bytes: `POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: +40\r\n\r\n${NEXT}` },
  { name: 'a length in hexadecimal', bytes: `POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 0x28\r\n\r\n${NEXT}` },
  {
    name: 'an unknown coding',
    bytes: `POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n${NEXT}`,
  },
  {
    name: 'chunked, not last',
    bytes: `POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n${NEXT}`,
  },
  {
    name: 'a space before the colon',
    bytes: `POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n${NEXT}`,
  },
  {
    name: 'a folded line',
    bytes: `POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n${NEXT}`,
  },
  {
    name: 'a bad chunk size',
    bytes: `POST /bad-chunk HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n\r\n${NEXT}`,
    passes: ['/bad-chunk'],
  },
  {
    name: 'a chunk size that overflows',
    bytes: `POST /bad-chunk HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffff1\r\n\r\n${NEXT}`,
    passes: ['/bad-chunk'],
  },
  {
    name: 'a bare line feed in a chunk',
    bytes: `POST /bad-chunk HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\na\r\n0\r\n\r\n${NEXT}`,
    passes: ['/bad-chunk'],
  },
  { name: 'a carriage return in a value', bytes: `GET /x HTTP/1.1\r\nHost: a\r\nX: a\rb\r\n\r\n` },
  { name: 'a zero in a value', bytes: `GET /x HTTP/1.1\r\nHost: a\r\nX: a\0b\r\n\r\n` },
  { name: 'no host', bytes: `GET /x HTTP/1.1\r\n${end}\r\n` },
  { name: 'two hosts', bytes: `GET /x HTTP/1.1\r\nHost: a\r\nHost: b\r\n${end}\r\n` },
  { name: 'a host with a path', bytes: `GET /x HTTP/1.1\r\nHost: a/b\r\n${end}\r\n` },
  { name: 'a host with a user', bytes: `GET /x HTTP/1.1\r\nHost: u@a\r\n${end}\r\n` },
  {
    name: 'an absolute target',
    bytes: `GET http://b:81/abs?x=1 HTTP/1.1\r\nHost: a\r\n${end}\r\n`,
    passes: ['/abs?x=1'],
    host: 'b:81',
  },
  {
    name: 'an absolute target without path',
    bytes: `GET http://b?x=1 HTTP/1.1\r\nHost: a\r\n${end}\r\n`,
    passes: ['/?x=1'],
    host: 'b',
  },
  { name: 'an absolute target with a user', bytes: `GET http://u@b/ HTTP/1.1\r\nHost: a\r\n${end}\r\n` },
  { name: 'a target of another scheme', bytes: `GET file:///etc/passwd HTTP/1.1\r\nHost: a\r\n${end}\r\n` },
  { name: 'a target without slash', bytes: `GET x HTTP/1.1\r\nHost: a\r\n${end}\r\n` },
  { name: 'OPTIONS of the server', bytes: `OPTIONS * HTTP/1.1\r\nHost: a\r\n${end}\r\n` },
  { name: 'CONNECT', bytes: `CONNECT b:443 HTTP/1.1\r\nHost: b:443\r\n\r\n` },
  {
    name: 'a header that is called __proto__',
    bytes: `GET /proto HTTP/1.1\r\nHost: a\r\n__proto__: x\r\nconstructor: y\r\n${end}\r\n`,
    passes: ['/proto'],
  },
  {
    name: 'a length that Connection names',
    bytes: `POST /named HTTP/1.1\r\nHost: a\r\nContent-Length: ${NEXT.length}\r\nConnection: close, Content-Length\r\n\r\n${NEXT}`,
    passes: ['/named'],
  },
  {
    name: 'a body on GET',
    bytes: `GET /body HTTP/1.1\r\nHost: a\r\nContent-Length: ${NEXT.length}\r\n${end}\r\n${NEXT}`,
    passes: ['/body'],
  },
  { name: 'HTTP/0.9', bytes: 'GET /x\r\n\r\n' },
  { name: 'HTTP/1.2', bytes: `GET /x HTTP/1.2\r\nHost: a\r\n\r\n` },
  { name: 'TLS', bytes: '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03' + '\r\n\r\n' },
  { name: 'too many headers', bytes: `GET /x HTTP/1.1\r\nHost: a\r\n${`X: ${'y'.repeat(1000)}\r\n`.repeat(40)}\r\n` },
]

t.test('a request of unclear shape is refused, or goes on once and in one piece', async t => {
  const seen: { url: string | undefined; host: string | undefined; body: string }[] = []
  const upstream = await listen(
    t,
    createServer((request, response) => {
      let body = ''
      const entry = { url: request.url, host: request.headers.host, body: '' }
      seen.push(entry)
      request.on('error', () => {})
      request.on('data', chunk => {
        body += chunk
        entry.body = body
      })
      request.on('end', () => response.end('passed'))
    }),
  )
  const { gateway, port } = await start(
    t,
    { 'sc-a': [{ host: '127.0.0.1', port: upstream }] },
    { routes: [{ service: 'sc-a' }] },
  )
  for (const { name, bytes, passes, host } of shapes) {
    seen.length = 0
    const answer = await rawRequest(port, Buffer.from(bytes, 'latin1'))
    if (passes === undefined) {
      t.match(answer, /^HTTP\/1\.1 4\d\d /, `${name}: refused`)
      t.same(seen, [], `${name}: no upstream sees it`)
    } else if (passes[0] === '/bad-chunk') {
      // Its head was in order, so it may be on its way when the body turns out not to be.
      t.ok(seen.length <= 1 && seen.every(({ url, body }) => url === '/bad-chunk' && !body.includes('smuggled')), name)
      t.notMatch(answer, /passed/, name)
    } else {
      t.match(answer, /^HTTP\/1\.1 200 /, name)
      t.same(
        seen.map(({ url }) => url),
        passes,
        name,
      )
      if (host !== undefined) t.equal(seen[0]!.host, host, `${name}: the target names the host`)
      if (/body|named/.test(passes[0]!)) t.equal(seen[0]!.body, NEXT, name)
    }
  }
  t.equal((await send(port)).text, 'passed', 'and the gateway goes on')
  t.match(gateway.metrics(), /refused_total\{reason="parse"} \d+/)
  t.match(gateway.metrics(), /refused_total\{reason="connect"} 1/)
  t.match(gateway.metrics(), /in_flight_requests 0\n/)
})
