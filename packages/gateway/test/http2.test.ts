import { createServer } from 'node:http'
import http2 from 'node:http2'
import https from 'node:https'
import { gatewayApiTables, listen } from '@laneway/testkit'
import { cert, key } from '@laneway/testkit/certificate'
import t, { type Test } from 'tap'
import { type Running, start, startServices } from './world.js'

const routes = [{ service: 'sc-a' }]
const rules = {
  version: 1 as const,
  rules: [{ name: 'tester', when: { header: { name: 'user-agent', exact: 'xiaoming' } }, lane: 'gray' }],
}
const tls = { cert, key }

function connect(t: Test, url: string): http2.ClientHttp2Session {
  const session = http2.connect(url, { ca: cert })
  session.on('error', () => {})
  t.teardown(() => session.destroy())
  return session
}

interface Answer {
  readonly headers: http2.IncomingHttpHeaders & http2.IncomingHttpStatusHeader
  readonly text: string
  readonly trailers: http2.IncomingHttpHeaders | undefined
}

function send(session: http2.ClientHttp2Session, headers: http2.OutgoingHttpHeaders, body?: string): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const stream = session.request(headers, { endStream: body === undefined })
    let answer: Answer['headers'] | undefined
    let trailers: Answer['trailers']
    let text = ''
    stream.setEncoding('utf8')
    stream.on('response', value => {
      answer = value
    })
    stream.on('trailers', value => {
      trailers = value
    })
    stream.on('data', chunk => {
      text += chunk
    })
    stream.on('error', reject)
    stream.on('close', () =>
      answer === undefined ? reject(new Error('no answer')) : resolve({ headers: answer, text, trailers }),
    )
    if (body !== undefined) stream.end(body)
  })
}

const protocols: [string, (t: Test, services: never, options?: object) => Promise<Running & { url: string }>][] = [
  [
    'h2c',
    async (t, services, options) => {
      const running = await start(t, services, {
        routes,
        rules,
        ...options,
        listeners: [{ host: '127.0.0.1', protocol: 'h2c' }],
      })
      return { ...running, url: `http://localhost:${running.port}` }
    },
  ],
  [
    'TLS',
    async (t, services, options) => {
      const listeners = [{ host: '127.0.0.1', protocol: 'https' as const, tls }]
      const running = await start(t, services, { routes, rules, ...options, listeners })
      return { ...running, url: `https://localhost:${running.port}` }
    },
  ],
]

for (const [protocol, startOne] of protocols) {
  t.test(`HTTP/2, ${protocol}: streams of one connection keep their own lanes`, async t => {
    const services = await startServices(t, { 'sc-a': [{}, { tag: 'gray' }] })
    const { url, logged } = await startOne(t, services as never)
    const session = connect(t, url)
    const answers = await Promise.all(
      Array.from({ length: 40 }, (_, index) =>
        send(
          session,
          {
            ':method': index % 4 < 2 ? 'GET' : 'POST',
            ':path': `/p?n=${index}`,
            'user-agent': index % 2 === 0 ? 'xiaoming' : 'curl',
            'x-mse-tag': 'gray',
            cookie: ['a=1', 'b=2'],
          },
          index % 4 < 2 ? undefined : `body ${index}`,
        ),
      ),
    )
    answers.forEach(({ headers, text }, index) => {
      const seen = JSON.parse(text)
      t.equal(headers[':status'], 200)
      t.equal(headers['cache-control'], index % 2 === 0 ? 'private' : undefined)
      t.equal(seen.at, index % 2 === 0 ? 'sc-a-gray' : 'sc-a')
      t.equal(seen.headers['x-mse-tag'], index % 2 === 0 ? 'gray' : undefined)
      t.equal(seen.url, `/p?n=${index}`)
      t.equal(seen.body, index % 4 < 2 ? '' : `body ${index}`)
      t.equal(seen.headers.cookie, 'a=1; b=2', 'one line, as HTTP/1.1 wants it')
      t.equal(seen.headers.host, new URL(url).host)
      t.equal(seen.headers['x-forwarded-proto'], protocol === 'TLS' ? 'https' : 'http')
    })
    t.match(await logged(), { protocol: 'HTTP/2.0', host: new URL(url).host, status: 200 })
  })

  t.test(`HTTP/2, ${protocol}: lines, trailers, HEAD, 204, errors`, async t => {
    const services = await startServices(t, {
      'sc-a': [
        {
          handler: (request, response) => {
            if (request.method === 'HEAD') {
              response.writeHead(200, { 'content-length': 4 }).end()
              return
            }
            if (request.url === '/204') {
              response.writeHead(204).end()
              return
            }
            response.setHeader('Connection', 'close, X-Private')
            response.setHeader('X-Private', '1')
            response.setHeader('Set-Cookie', ['a=1', 'b=2', 'c=3'])
            response.setHeader('Trailer', 'X-Sum')
            response.setHeader('X-Upper', 'Case')
            response.write('body')
            response.addTrailers({ 'X-Sum': '4' })
            response.end()
          },
        },
      ],
    })
    const { url } = await startOne(t, services as never, { routes: [{ path: { prefix: '/' }, service: 'sc-a' }] })
    const session = connect(t, url)
    const { headers, text, trailers } = await send(session, { ':path': '/' })
    t.same(headers['set-cookie'], ['a=1', 'b=2', 'c=3'])
    t.equal(headers['x-upper'], 'Case')
    t.notOk('x-private' in headers)
    t.notOk('connection' in headers)
    t.equal(text, 'body')
    t.equal(trailers?.['x-sum'], '4')
    t.match(await send(session, { ':path': '/', ':method': 'HEAD' }), { headers: { ':status': 200 }, text: '' })
    t.match(await send(session, { ':path': '/204' }), { headers: { ':status': 204 }, text: '' })
    const { url: nowhere } = await startOne(t, {} as never, { routes: [{ host: 'x', service: 'sc-a' }] })
    t.match(await send(connect(t, nowhere), { ':path': '/' }), { headers: { ':status': 404 }, text: /no_route/ })
  })

  t.test(`HTTP/2, ${protocol}: an answer that breaks off ends its stream with an error, and only that`, async t => {
    let breakOff = (): void => {}
    const server = createServer((request, response) => {
      if (request.url === '/whole') {
        response.end('whole')
        return
      }
      response.write('some')
      breakOff = () => response.socket!.resetAndDestroy()
    })
    const port = await listen(t, server)
    const { url, logged } = await startOne(t, { 'sc-a': [{ host: '127.0.0.1', port }] } as never)
    const session = connect(t, url)
    const stream = session.request({ ':path': '/' })
    const failed = new Promise<NodeJS.ErrnoException>(resolve => stream.on('error', resolve))
    stream.on('data', () => breakOff())
    t.match((await failed).message, /INTERNAL_ERROR/)
    t.match(await logged(), { error: 'upstream-reset-in-answer' })
    t.equal((await send(session, { ':path': '/whole' })).text, 'whole')
  })

  t.test(`HTTP/2, ${protocol}: a stream that the client cancels ends the upstream request`, async t => {
    let closed = (): void => {}
    const seen = new Promise<void>(resolve => {
      closed = resolve
    })
    const services = await startServices(t, {
      'sc-a': [
        {
          handler: (_request, response) => {
            response.on('close', () => closed())
            response.write('some')
          },
        },
      ],
    })
    const { gateway, url, logged } = await startOne(t, services as never)
    const stream = connect(t, url).request({ ':path': '/' })
    stream.on('error', () => {})
    stream.on('data', () => stream.close(http2.constants.NGHTTP2_CANCEL))
    await seen
    t.match(await logged(), { error: 'client-gone' })
    t.match(gateway.metrics(), /in_flight_requests 0\n/)
  })
}

for (const { name, route, backends, cases } of gatewayApiTables) {
  t.test(`${name}, HTTP/2`, async t => {
    const services = await startServices(t, Object.fromEntries(backends.map(backend => [backend, [{}]])))
    const { port } = await start(t, services, { routes: [route], listeners: [{ host: '127.0.0.1', protocol: 'h2c' }] })
    const session = connect(t, `http://localhost:${port}`)
    for (const { method, path, headers, backend } of cases) {
      const lower = Object.fromEntries(Object.entries(headers).map(([key, value]) => [key.toLowerCase(), value]))
      const { headers: answer, text } = await send(session, { ':method': method, ':path': path, ...lower })
      t.equal(
        answer[':status'] === 404 ? '404' : JSON.parse(text).at,
        backend,
        `${method} ${path} ${JSON.stringify(headers)}`,
      )
    }
  })
}

t.test('a TLS port speaks HTTP/1.1 too, and several ports are one gateway', async t => {
  const services = await startServices(t, { 'sc-a': [{}] })
  const { gateway } = await start(t, services, {
    routes,
    listeners: [
      { host: '127.0.0.1' },
      { host: '127.0.0.1', protocol: 'https', tls },
      { host: '127.0.0.1', protocol: 'h2c' },
      { host: '127.0.0.1', protocol: 'https', tls: { ...tls, http2: false } },
    ],
  })
  t.equal(gateway.listenerCount, 4)
  for (const index of [1, 3]) {
    const seen = await new Promise<string>((resolve, reject) => {
      https
        .get({ host: 'localhost', port: gateway.address(index).port, ca: cert, agent: false }, response => {
          let text = ''
          response.on('data', chunk => {
            text += chunk
          })
          response.on('end', () => resolve(text))
        })
        .on('error', reject)
    })
    t.match(JSON.parse(seen), { at: 'sc-a', headers: { 'x-forwarded-proto': 'https' } })
  }
  t.throws(() => gateway.address(4), RangeError)
})
