import { createServer } from 'node:http'
import http2 from 'node:http2'
import { connect } from 'node:net'
import { BAGGAGE_KEY, hasLaneMember, MSE_BAGGAGE_KEY } from '@laneway/core/internal'
import { createLaneResolver, createStaticSource, type SourceListener } from '@laneway/discovery'
import { createGateway, type GatewayOptions } from '@laneway/gateway'
import { listen, rawRequest } from '@laneway/testkit'
import t, { type Test } from 'tap'

/** A request as a backend saw it. */
interface Seen {
  readonly at: string
  readonly url: string | undefined
  readonly host: string | undefined
  readonly rawHeaders: readonly string[]
  readonly trailers: NodeJS.Dict<string>
}

/** sc-a has base and gray and is what the routes lead to; nothing leads to sc-secret. */
async function entrance(t: Test, options: Partial<GatewayOptions> = {}) {
  const seen: Seen[] = []
  const backend = async (at: string) =>
    listen(
      t,
      createServer((req, res) => {
        req.resume()
        req.on('error', () => {})
        req.on('end', () => {
          const { url, headers, rawHeaders, trailers } = req
          seen.push({ at, url, host: headers.host, rawHeaders, trailers })
          res.end(`served by ${at}`)
        })
      }),
    )
  const at = async (name: string, ...tags: string[]) => ({ host: '127.0.0.1', port: await backend(name), tags })
  const secret = await at('secret')
  const source = createStaticSource({ 'sc-a': [await at('base'), await at('gray', 'gray')], 'sc-secret': [secret] })
  const gateway = await createGateway({
    resolver: createLaneResolver({ sources: [source], env: {}, warn() {} }),
    routes: [{ service: 'sc-a' }],
    listeners: [{ host: '127.0.0.1' }, { host: '127.0.0.1', protocol: 'h2c' }],
    drain: { timeoutMs: 0 },
    ...options,
  })
  t.teardown(() => gateway.close())
  await gateway.listen()
  return { gateway, seen, secret: secret.port, port: gateway.address(0).port, port2: gateway.address(1).port }
}

function tagsOf({ rawHeaders, trailers }: Seen): string[] {
  const found: string[] = Object.keys(trailers)
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const [name, value] = [rawHeaders[index]!.toLowerCase(), rawHeaders[index + 1]!]
    if (name === 'x-mse-tag' || (name === 'baggage' && hasLaneMember(value))) found.push(`${name}: ${value}`)
  }
  return found
}

const chunked = 'Transfer-Encoding: chunked'
const spoofs: readonly { readonly name: string; readonly lines: readonly string[]; readonly body?: string }[] = [
  { name: 'the header', lines: ['x-mse-tag: gray'] },
  { name: 'in capitals', lines: ['X-MSE-TAG: gray'] },
  { name: 'mixed, three times', lines: ['X-Mse-Tag: gray', 'x-mse-tag: gray', 'x-MSE-tag: blue'] },
  { name: 'once empty, once not', lines: ['x-mse-tag:', 'x-mse-tag: gray'] },
  { name: 'a list', lines: ['x-mse-tag: gray-2,gray'] },
  { name: 'white space around', lines: ['x-mse-tag:\t gray \t'] },
  { name: '__proto__', lines: ['x-mse-tag: __proto__'] },
  {
    name: 'headers called __proto__ and constructor',
    lines: ['__proto__: gray', 'constructor: gray', 'x-mse-tag: gray'],
  },
  { name: '60 lines', lines: Array(60).fill('x-mse-tag: gray') },
  { name: 'W3C baggage', lines: [`baggage: a=1,${BAGGAGE_KEY}=gray;p=1,b=2`] },
  { name: 'baggage in capitals, two lines', lines: ['BAGGAGE: a=1', `Baggage: ${BAGGAGE_KEY}=gray`] },
  { name: 'baggage with an encoded key', lines: ['baggage: %78-mse-tag=gray'] },
  { name: "MSE's baggage member", lines: [`baggage: ${MSE_BAGGAGE_KEY}=%5B%7B%22tag%22%3A%22gray%22%7D%5D`] },
  { name: 'a header that is asked to be dropped', lines: ['x-mse-tag: gray', 'Connection: x-mse-tag, close'] },
  { name: 'an encoding that is asked to be dropped', lines: ['x-mse-tag: gray', 'Connection: close, baggage, host'] },
  { name: 'trailers', lines: [chunked, 'Trailer: x-mse-tag'], body: '1\r\na\r\n0\r\nx-mse-tag: gray\r\n\r\n' },
  { name: 'the extension of a chunk', lines: [chunked], body: '1;x-mse-tag=gray\r\na\r\n0\r\n\r\n' },
  { name: 'a body that looks like a head', lines: ['Content-Length: 19'], body: 'x-mse-tag: gray\r\n\r\n' },
  {
    name: 'a client that says it is inside',
    lines: ['X-Forwarded-For: 10.0.0.1', 'X-Real-IP: 127.0.0.1', 'x-mse-tag: gray'],
  },
  {
    name: 'an upgrade',
    lines: ['Connection: close, Upgrade', 'Upgrade: h2c', 'HTTP2-Settings: AAMAAABk', 'x-mse-tag: gray'],
  },
  { name: 'early data', lines: ['Early-Data: 1', 'Expect: 100-continue', 'x-mse-tag: gray'] },
]

t.test('no spoofed tag passes the gateway over HTTP/1.1, and no spoofed lane is chosen', async t => {
  const { port, seen } = await entrance(t)
  for (const target of ['/', 'http://shop.example/']) {
    for (const { name, lines, body = '' } of spoofs) {
      seen.length = 0
      const close = lines.some(line => line.startsWith('Connection')) ? [] : ['Connection: close']
      const head = [`${body === '' ? 'GET' : 'POST'} ${target} HTTP/1.1`, 'Host: shop.example', ...close, ...lines]
      const answer = await rawRequest(port, `${head.join('\r\n')}\r\n\r\n${body}`)
      t.match(answer, /HTTP\/1.1 200 .*served by base/s, `${name}, ${target}`)
      t.strictSame(seen.map(tagsOf), [[]], `${name}, ${target}`)
      t.equal(seen[0]?.host, 'shop.example')
    }
  }
})

/** Forms that other parsers read another way; here none may bring a tag, or a second request, to a backend. */
const GRAY = 'GET /second HTTP/1.1\r\nHost: a\r\nx-mse-tag: gray\r\n\r\n'
const start = 'POST /first HTTP/1.1\r\nHost: a\r\n'
const unclear: Readonly<Record<string, string>> = {
  'a folded line': 'GET / HTTP/1.1\r\nHost: a\r\nX: y\r\n x-mse-tag: gray\r\nConnection: close\r\n\r\n',
  'a space before the colon': 'GET / HTTP/1.1\r\nHost: a\r\nx-mse-tag : gray\r\nConnection: close\r\n\r\n',
  'a bare line feed': 'GET / HTTP/1.1\r\nHost: a\r\nX: y\nx-mse-tag: gray\r\nConnection: close\r\n\r\n',
  'a bare carriage return': 'GET / HTTP/1.1\r\nHost: a\r\nX: y\rx-mse-tag: gray\r\nConnection: close\r\n\r\n',
  'a zero in the name': 'GET / HTTP/1.1\r\nHost: a\r\nx-mse-tag\0: gray\r\nConnection: close\r\n\r\n',
  'a line before the first header': 'GET / HTTP/1.1\r\n x-mse-tag: gray\r\nHost: a\r\nConnection: close\r\n\r\n',
  'a tag in the request line': 'GET / HTTP/1.1 x-mse-tag: gray\r\nHost: a\r\nConnection: close\r\n\r\n',
  'length and chunks': `${start}Content-Length: 4\r\n${chunked}\r\n\r\n0\r\n\r\n${GRAY}`,
  'two lengths': `${start}Content-Length: 0\r\nContent-Length: ${GRAY.length}\r\n\r\n${GRAY}`,
  'chunked in an odd spelling': `${start}Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n${GRAY}`,
  'two encodings': `${start}${chunked}\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n${GRAY}`,
}

t.test('a request of unclear form brings no tag to a backend, and not a second request', async t => {
  const { port, seen } = await entrance(t)
  for (const [name, bytes] of Object.entries(unclear)) {
    seen.length = 0
    const answer = await rawRequest(port, Buffer.from(bytes, 'latin1'))
    t.match(answer, /^HTTP\/1.1 [24]\d\d /, name)
    t.ok(seen.length <= 1 && seen.every(one => one.at === 'base' && one.url !== '/second'), name)
    t.strictSame(seen.flatMap(tagsOf), [], name)
  }
})

t.test('two requests on one connection are two: the tag of neither passes', async t => {
  const { port, seen } = await entrance(t)
  const second = GRAY.replace('Host: a', 'Host: a\r\nConnection: close')
  await rawRequest(port, `${start}Content-Length: ${GRAY.length}\r\n\r\n${GRAY}${second}`)
  t.strictSame(
    seen.map(one => [one.at, one.url, tagsOf(one)]),
    [
      ['base', '/first', []],
      ['base', '/second', []],
    ],
  )
})

t.test('a client does not choose where the gateway connects', async t => {
  const { port, seen, secret } = await entrance(t)
  const aims = [
    `http://sc-secret/`,
    `http://127.0.0.1:${secret}/`,
    'http://169.254.169.254/latest/meta-data/',
    'http://metadata.google.internal/',
    '//sc-secret/',
    '/\\sc-secret/',
    `/http://127.0.0.1:${secret}/`,
    '/%2e%2e/%2e%2e/',
  ]
  for (const aim of aims) {
    seen.length = 0
    const answer = await rawRequest(port, `GET ${aim} HTTP/1.1\r\nHost: sc-secret\r\nConnection: close\r\n\r\n`)
    t.match(answer, /served by base/, aim)
    t.strictSame(
      seen.map(({ at }) => at),
      ['base'],
      aim,
    )
  }
  for (const aim of [`127.0.0.1:${secret}`, 'sc-secret:80']) {
    t.match(await rawRequest(port, `CONNECT ${aim} HTTP/1.1\r\nHost: ${aim}\r\n\r\n`), /^HTTP\/1.1 4/, `CONNECT ${aim}`)
  }
})

t.test('no spoofed tag passes the gateway over HTTP/2, nor a pseudo-header that is none', async t => {
  const { port2, seen } = await entrance(t)
  const requests: readonly http2.OutgoingHttpHeaders[] = [
    { 'x-mse-tag': 'gray' },
    { 'x-mse-tag': ['gray', 'gray', 'blue'] },
    { 'X-MSE-Tag': 'gray' },
    { ':authority': 'sc-secret', host: 'sc-secret', 'x-mse-tag': 'gray' },
    { ':authority': 'a', host: 'sc-secret', 'x-mse-tag': 'gray' },
    { ':path': 'http://sc-secret/', 'x-mse-tag': 'gray' },
    { ':path': '/%0d%0ax-mse%2dtag:gray', 'x-mse-tag': 'gray' },
    { ':scheme': 'https', 'x-mse-tag': 'gray' },
    { baggage: ['a=1', `${BAGGAGE_KEY}=gray`], cookie: ['a=1', 'b=2'] },
    { te: 'trailers', 'x-mse-tag': '__proto__' },
  ]
  const session = http2.connect(`http://127.0.0.1:${port2}`)
  t.teardown(() => session.destroy())
  for (const headers of requests) {
    seen.length = 0
    const name = JSON.stringify(headers)
    const status = await new Promise<number>(resolve => {
      const stream = session.request(headers)
      let answered = 0
      stream.on('response', head => {
        answered = Number(head[':status'])
      })
      stream.on('error', () => {})
      stream.resume()
      stream.on('close', () => resolve(answered))
    })
    t.ok(status === 200 || (status >= 400 && status < 500) || status === 0, `${name}: ${status}`)
    t.ok(
      seen.every(({ at }) => at === 'base'),
      name,
    )
    t.strictSame(seen.flatMap(tagsOf), [], name)
    t.notOk(
      seen.some(one => one.rawHeaders.some(text => text.startsWith(':'))),
      `${name}: no pseudo-header goes on`,
    )
  }
  // What no client library sends: a header block with a tag as a pseudo-header and in capitals, byte by byte.
  for (const field of [':x-mse-tag', 'X-MSE-TAG', 'x-mse-tag\r\nx-mse-tag', 'x-mse-tag ']) {
    seen.length = 0
    await rawHttp2(port2, [
      [':method', 'GET'],
      [':scheme', 'http'],
      [':authority', 'a'],
      [':path', '/raw'],
      [field, 'gray'],
    ])
    // nghttp2 refuses the request, or leaves the field out.
    t.ok(seen.length <= 1 && seen.every(({ at }) => at === 'base'), JSON.stringify(field))
    t.strictSame(seen.flatMap(tagsOf), [], JSON.stringify(field))
  }
  seen.length = 0
  await rawHttp2(port2, [
    [':method', 'GET'],
    [':scheme', 'http'],
    [':authority', 'a'],
    [':path', '/raw'],
    ['x-mse-tag', 'gray'],
  ])
  t.strictSame(
    seen.map(one => [one.at, one.url, tagsOf(one)]),
    [['base', '/raw', []]],
    'the same bytes in order are served',
  )
})

t.test('tags of clients are believed where trust says so, and only there', async t => {
  const { port, seen } = await entrance(t, { trust: 'internal' })
  t.match(
    await rawRequest(port, 'GET / HTTP/1.1\r\nHost: a\r\nx-mse-tag: gray\r\nConnection: close\r\n\r\n'),
    /by gray/,
  )
  t.strictSame(seen.map(tagsOf), [['x-mse-tag: gray']], 'so the rows above would have seen one')
})

t.test('a registry that lies to the gateway gets no connection out of it', async t => {
  let tell: SourceListener | undefined
  const source = {
    name: 'liar',
    subscribe: (_service: string, listener: SourceListener) => {
      tell = listener
      listener.snapshot([])
      return () => {}
    },
    close: async () => {},
  }
  const { port } = await entrance(t, {
    resolver: createLaneResolver({ sources: [source], services: ['sc-a'], env: {}, warn() {} }),
  })
  let hits = 0
  const good = await listen(
    t,
    createServer((_req, res) => {
      hits++
      res.end('good')
    }),
  )
  const ask = () => rawRequest(port, 'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n')
  const lies: Readonly<Record<string, unknown>> = {
    'the metadata service': [{ host: '169.254.169.254', port: 80 }],
    'a negative weight': [{ host: '127.0.0.1', port: good, weight: -1 }],
    'a weight that is no number': [{ host: '127.0.0.1', port: good, weight: Number.NaN }],
    'a user in the host': [{ host: `x@127.0.0.1`, port: good }],
    'a path in the host': [{ host: `127.0.0.1:${good}/`, port: good }],
    'a tag that is none': [{ host: '127.0.0.1', port: good, tags: ['__proto__'] }],
    'no list': { length: 1 },
    nobody: [],
  }
  for (const [name, list] of Object.entries(lies)) {
    tell!.snapshot(list as never)
    t.match(await ask(), /^HTTP\/1.1 50[23] /, name)
  }
  t.equal(hits, 0)
  tell!.snapshot([{ host: '127.0.0.1', port: good }])
  t.match(await ask(), /good/)
  tell!.snapshot(Array.from({ length: 1_000_000 }, () => ({ host: '127.0.0.1', port: 9 })))
  t.match(await ask(), /good/, 'a million endpoints are refused, the last good list stays')
})

/** One request of HTTP/2 with a header block as written here, without Huffman coding and table. Ends with the answer. */
function rawHttp2(port: number, fields: readonly (readonly [string, string])[]): Promise<void> {
  const text = (value: string) => Buffer.concat([Buffer.from([value.length]), Buffer.from(value, 'latin1')])
  const block = Buffer.concat(fields.flatMap(([name, value]) => [Buffer.from([0]), text(name), text(value)]))
  const frame = (type: number, flags: number, stream: number, payload: Buffer) => {
    const head = Buffer.alloc(9)
    head.writeUIntBE(payload.length, 0, 3)
    head[3] = type
    head[4] = flags
    head.writeUInt32BE(stream, 5)
    return Buffer.concat([head, payload])
  }
  return new Promise(resolve => {
    const socket = connect(port, '127.0.0.1')
    socket.on('error', () => {})
    socket.on('close', () => resolve())
    let got = Buffer.alloc(0)
    socket.on('data', chunk => {
      got = Buffer.concat([got, chunk])
      for (let at = 0; at + 9 <= got.length; at += 9 + got.readUIntBE(at, 3)) {
        const [type, flags, stream] = [got[at + 3], got[at + 4]!, got.readUInt32BE(at + 5)]
        // The end of the stream, its reset, or the end of the connection.
        if ((stream === 1 && (type === 3 || (flags & 1) === 1)) || type === 7) socket.destroy()
      }
    })
    socket.write('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')
    socket.write(Buffer.concat([frame(4, 0, 0, Buffer.alloc(0)), frame(1, 5, 1, block)]))
  })
}
