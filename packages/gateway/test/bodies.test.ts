import http, { createServer } from 'node:http'
import { createServer as createTcpServer, type Socket } from 'node:net'
import { listen } from '@laneway/testkit'
import t, { type Test } from 'tap'
import { dial, refusedPort, send, start, startServices } from './world.js'

const routes = [{ service: 'sc-a' }]

/** A backend of bytes: whatever a listener does with a connection. */
function tcp(t: Test, listener: (socket: Socket) => void): Promise<number> {
  const server = createTcpServer(socket => {
    socket.on('error', () => {})
    sockets.add(socket)
    listener(socket)
  })
  const sockets = new Set<Socket>()
  const closeAllConnections = () => {
    for (const socket of sockets) socket.destroy()
  }
  return listen(t, Object.assign(server, { closeAllConnections }))
}

t.test('answers go on as they came: status, reason, order and spelling, lines that are there twice', async t => {
  const services = await startServices(t, {
    'sc-a': [
      {
        handler: (_request, response) => {
          response.writeHead(203, 'Almost', [
            ['X-One', '1'],
            ['Set-Cookie', 'a=1'],
            ['Set-Cookie', 'b=2'],
            ['x-TWO', 'caf\u00e9'],
          ] as never)
          response.end('body')
        },
      },
    ],
  })
  const { port } = await start(t, services, { routes })
  const raw = dial(t, port)
  raw.socket.write('GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n')
  const answer = await raw.closed
  t.match(answer, /^HTTP\/1\.1 203 Almost\r\nX-One: 1\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\nx-TWO: caf\u00e9\r\n/)
  t.match(answer, /body/)
})

t.test('fields of one connection do not go on, in either direction', async t => {
  const services = await startServices(t, {
    'sc-a': [
      {
        handler: (request, response) => {
          response.setHeader('Connection', 'close, X-Private')
          response.setHeader('X-Private', '1')
          response.setHeader('Proxy-Authenticate', 'Basic')
          response.setHeader('X-Public', '1')
          response.end(JSON.stringify(request.headers))
        },
      },
    ],
  })
  const { port } = await start(t, services, { routes })
  const reply = await send(port, {
    headers: {
      connection: 'keep-alive, X-Mine, content-length, host',
      'x-mine': '1',
      te: 'trailers',
      'keep-alive': 'timeout=5',
      'proxy-authorization': 'Basic eDp5',
      'proxy-connection': 'keep-alive',
      'x-kept': '1',
    },
    method: 'POST',
    body: 'abc',
  })
  const seen = JSON.parse(reply.text)
  for (const name of ['x-mine', 'te', 'keep-alive', 'proxy-authorization', 'proxy-connection']) {
    t.notOk(name in seen, `${name} stays`)
  }
  t.equal(seen['x-kept'], '1')
  t.equal(seen['content-length'], '3', 'Connection cannot take away what frames the message')
  t.ok(seen.host)
  t.equal(reply.headers['x-public'], '1')
  t.equal(reply.headers['x-private'], undefined)
  t.equal(reply.headers['proxy-authenticate'], undefined)
})

t.test('the gateway says who the client is', async t => {
  const services = await startServices(t, { 'sc-a': [{}] })
  const spoof = {
    host: 'shop.example',
    'x-forwarded-for': '1.1.1.1, 2.2.2.2',
    'x-forwarded-host': 'evil',
    'x-forwarded-proto': 'https',
    'x-forwarded-port': '1',
    'x-forwarded-prefix': '/x',
    'X-Real-IP': '1.1.1.1',
    forwarded: 'for=1.1.1.1, for="[::1]";host="a,b"',
  }
  const edge = await start(t, services, { routes, forwarded: true })
  t.match((await send(edge.port, { headers: spoof })).json.headers, {
    host: 'shop.example',
    'x-forwarded-for': '127.0.0.1',
    'x-forwarded-host': 'shop.example',
    'x-forwarded-proto': 'http',
    'x-forwarded-port': undefined,
    'x-forwarded-prefix': undefined,
    'x-real-ip': undefined,
    forwarded: /^for=127\.0\.0\.1;host="shop\.example";proto=http$/,
  })
  const behind = await start(t, services, { routes, proxies: 1, hostHeader: 'service' })
  t.match((await send(behind.port, { headers: spoof })).json.headers, {
    host: 'sc-a',
    'x-forwarded-for': '2.2.2.2, 127.0.0.1',
    'x-forwarded-host': 'evil',
    'x-forwarded-proto': 'https',
    forwarded: /^for="\[::1\]";host="a,b", for=127\.0\.0\.1;host="shop\.example";proto=http$/,
  })
  const all = await start(t, services, { routes, proxies: 'all' })
  t.equal((await send(all.port, { headers: spoof })).json.headers['x-forwarded-for'], '1.1.1.1, 2.2.2.2, 127.0.0.1')
  t.equal((await send(all.port)).json.headers['x-forwarded-for'], '127.0.0.1')
})

t.test('methods, content types and targets are the upstream\u2019s affair', async t => {
  const services = await startServices(t, { 'sc-a': [{}] })
  const { port } = await start(t, services, { routes })
  for (const method of ['PUT', 'DELETE', 'PATCH', 'PROPFIND', 'REPORT', 'SEARCH', 'OPTIONS']) {
    const { status, json } = await send(port, {
      method,
      path: `/${method}`,
      body: 'x',
      headers: { 'content-length': 1 },
    })
    t.equal(status, 200, method)
    t.match(json, { method, body: 'x' })
  }
  for (const type of ['nonsense', 'application/json', ';', 'text/plain; charset="']) {
    const { json } = await send(port, { method: 'POST', body: '{', headers: { 'content-type': type } })
    t.match(json, { body: '{', headers: { 'content-type': type } }, type)
  }
  for (const path of ['/%zz', '/a%2fb', '//a', '/../b', '/a;b?c=d&&e', '/?', `/${'a'.repeat(4000)}`]) {
    t.equal((await send(port, { path })).json.url, path, path.slice(0, 20))
  }
})

t.test('HEAD, 204, 304 and answers without length', async t => {
  const services = await startServices(t, {
    'sc-a': [
      {
        handler: (request, response) => {
          if (request.url === '/204') response.writeHead(204).end()
          else if (request.url === '/304') response.writeHead(304, { etag: '"1"' }).end()
          else if (request.method === 'HEAD') response.writeHead(200, { 'content-length': 1234 }).end()
          else {
            response.write('a')
            response.end('b')
          }
        },
      },
    ],
  })
  const { port } = await start(t, services, { routes })
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 })
  t.teardown(() => agent.destroy())
  t.match(await send(port, { method: 'HEAD', agent }), { status: 200, headers: { 'content-length': '1234' }, text: '' })
  t.match(await send(port, { path: '/204', agent }), { status: 204, text: '' })
  t.match(await send(port, { path: '/304', agent }), { status: 304, headers: { etag: '"1"' }, text: '' })
  t.match(await send(port, { agent }), { status: 200, headers: { 'transfer-encoding': 'chunked' }, text: 'ab' })
})

t.test('trailers of an answer go on, those of a request do not', async t => {
  const services = await startServices(t, {
    'sc-a': [
      {
        handler: (request, response) => {
          request.resume()
          request.on('end', () => {
            response.setHeader('Trailer', 'X-Sum')
            response.write('body')
            response.addTrailers({ 'X-Sum': String(Object.keys(request.trailers)), 'Cache-Control': 'public' })
            response.end()
          })
        },
      },
    ],
  })
  const { port } = await start(t, services, { routes })
  const raw = dial(t, port)
  raw.socket.write(
    'POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\nX-Up: 1\r\n\r\n',
  )
  t.match(await raw.closed, /body\r\n0\r\nx-sum: \r\n\r\n$/i)
})

t.test('an expectation is met here, and does not go on', async t => {
  const services = await startServices(t, { 'sc-a': [{}] })
  const { port } = await start(t, services, { routes })
  const raw = dial(t, port)
  raw.socket.write(
    'PUT / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n',
  )
  await raw.until('100 Continue')
  raw.socket.write('abc')
  const answer = await raw.closed
  t.match(answer, /"body":"abc"/)
  t.notMatch(answer, /"expect"/)
})

t.test('a body streams up and an answer streams down, at the same time', async t => {
  const services = await startServices(t, {
    'sc-a': [
      {
        handler: (request, response) => {
          request.pipe(response)
        },
      },
    ],
  })
  const { port } = await start(t, services, { routes })
  const raw = dial(t, port)
  raw.socket.write('POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n')
  for (const word of ['one', 'two', 'three']) {
    raw.socket.write(`${word.length.toString(16)}\r\n${word}\r\n`)
    await raw.until(word)
  }
  raw.socket.write('0\r\n\r\n')
  await raw.until(/0\r\n\r\n$/)
  t.pass('each part came back before the next was sent')
})

t.test('an answer that comes before the body is whole reaches the client', async t => {
  const services = await startServices(t, {
    'sc-a': [
      {
        handler: (request, response) => {
          request.on('error', () => {})
          response.writeHead(413).end('too much')
        },
      },
    ],
  })
  const { port, logged } = await start(t, services, { routes })
  const raw = dial(t, port)
  raw.socket.write('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000000\r\n\r\n')
  const chunk = Buffer.alloc(64 * 1024)
  const push = (): void => {
    while (!raw.socket.destroyed && raw.socket.write(chunk)) {}
  }
  raw.socket.on('drain', push)
  push()
  await raw.until('too much')
  t.match(raw.text(), /^HTTP\/1\.1 413 /)
  raw.socket.destroy()
  t.match(await logged(), { status: 413 })
})

t.test('a client that leaves in the middle of its body ends the upstream request', async t => {
  let aborted = (): void => {}
  const seen = new Promise<void>(resolve => {
    aborted = resolve
  })
  let arrived = (): void => {}
  const some = new Promise<void>(resolve => {
    arrived = resolve
  })
  const services = await startServices(t, {
    'sc-a': [
      {
        handler: request => {
          request.on('data', () => arrived())
          request.on('error', () => aborted())
        },
      },
    ],
  })
  const { gateway, port, logged } = await start(t, services, { routes })
  const raw = dial(t, port)
  raw.socket.write('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\nsome')
  await some
  raw.socket.destroy()
  await seen
  t.match(await logged(), { status: 0, error: 'client-gone', requestBytes: 4 })
  t.match(gateway.metrics(), /in_flight_requests 0\n/)
  t.match(gateway.metrics(), /code="aborted"} 1\n/)
})

t.test('a client that leaves in the middle of an answer ends the upstream request', async t => {
  let closed = (): void => {}
  const seen = new Promise<void>(resolve => {
    closed = resolve
  })
  const services = await startServices(t, {
    'sc-a': [
      {
        handler: (_request, response) => {
          response.on('close', () => closed())
          response.write('first')
        },
      },
    ],
  })
  const { port, logged } = await start(t, services, { routes })
  const raw = dial(t, port)
  raw.socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
  await raw.until('first')
  raw.socket.destroy()
  await seen
  t.match(await logged(), { status: 200, error: 'client-gone', responseBytes: 5 })
})

t.test('a client that does not read slows its upstream down, and only that', async t => {
  let written = 0
  const chunk = Buffer.alloc(256 * 1024)
  const services = await startServices(t, {
    'sc-a': [
      {
        handler: (request, response) => {
          if (request.url === '/small') {
            response.end('small')
            return
          }
          const push = (): void => {
            while (written < 1 << 30) {
              written += chunk.length
              if (!response.write(chunk)) return
            }
          }
          response.on('drain', push)
          push()
        },
      },
    ],
  })
  const { port } = await start(t, services, { routes })
  const raw = dial(t, port)
  raw.socket.pause()
  raw.socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
  // While others are served, the paused one fills what buffers there are, and no more.
  for (let turn = 0; turn < 50; turn++) t.equal((await send(port, { path: '/small' })).text, 'small')
  t.ok(written < 64 << 20, `${written >> 20} MiB written for a client that reads nothing`)
})

for (const [name, head, version] of [
  ['of known length', 'Content-Length: 100\r\n', '1.1'],
  ['in chunks', 'Transfer-Encoding: chunked\r\n', '1.1'],
  ['in chunks, to HTTP/1.0', 'Transfer-Encoding: chunked\r\n', '1.0'],
] as const) {
  t.test(`an upstream that breaks off an answer ${name} does not look complete`, async t => {
    let breakOff = (): void => {}
    const upstream = await tcp(t, socket => {
      breakOff = () => socket.resetAndDestroy()
      socket.once('data', () => {
        socket.write(`HTTP/1.1 200 OK\r\n${head}\r\n${head.startsWith('T') ? '4\r\nsome\r\n' : 'some'}`)
      })
    })
    const { port, logged } = await start(t, { 'sc-a': [{ host: '127.0.0.1', port: upstream }] }, { routes })
    const raw = dial(t, port)
    let failed: NodeJS.ErrnoException | undefined
    raw.socket.on('error', error => {
      failed = error
    })
    raw.socket.write(`GET / HTTP/${version}\r\nHost: a\r\n\r\n`)
    await raw.until('some')
    breakOff()
    const answer = await raw.closed
    t.match(await logged(), { status: 200, error: 'upstream-reset-in-answer' })
    if (version === '1.0') t.equal(failed?.code, 'ECONNRESET', 'a plain end would say: this was all')
    else t.notMatch(answer, /0\r\n\r\n$/)
  })
}

t.test('what an upstream does wrong is a problem of its own kind', async t => {
  const reset = await tcp(t, socket => socket.once('data', () => socket.resetAndDestroy()))
  const silent = await tcp(t, () => {})
  const nonsense = await tcp(t, socket => socket.once('data', () => socket.end('nonsense\r\n\r\n')))
  const host = '127.0.0.1'
  const { port, logged } = await start(
    t,
    {
      refused: [{ host, port: await refusedPort() }],
      reset: [{ host, port: reset }],
      silent: [{ host, port: silent }],
      nonsense: [{ host, port: nonsense }],
      gray: [{ host, port: silent, tags: ['gray'] }],
    },
    {
      routes: ['refused', 'reset', 'silent', 'nonsense', 'gray', 'waiting'].map(service => ({
        path: { prefix: `/${service}` },
        service,
        timeoutMs: 200,
      })),
    },
  )
  const cases: [string, number, string, string | undefined][] = [
    ['/refused', 502, 'connect_failed', undefined],
    ['/reset', 502, 'upstream_reset', undefined],
    ['/silent', 504, 'timeout', undefined],
    ['/nonsense', 502, 'bad_answer', undefined],
    ['/gray', 503, 'no_base', '5'],
    ['/elsewhere', 404, 'no_route', undefined],
  ]
  for (const [path, status, code, retryAfter] of cases) {
    const reply = await send(port, { path })
    t.match(reply, { status, json: { status, code } }, path)
    t.match(reply.headers, { 'content-type': 'application/problem+json', 'cache-control': 'no-store' })
    t.equal(reply.headers['retry-after'], retryAfter)
    t.equal((await logged()).error, code.replace('_', '-'), path)
  }
})

t.test('not ready and lane required say so, and when to come back', async t => {
  const { port } = await start(
    t,
    { 'sc-a': [{ host: '127.0.0.1', port: 1 }] },
    {
      routes: [{ service: 'sc-a' }],
      rules: { version: 1, rules: [{ name: 'all', lane: 'gray' }] },
    },
    { whenLaneMissing: 'fail' },
  )
  t.match(await send(port), { status: 503, headers: { 'retry-after': '5' }, json: { code: 'lane_required' } })

  const { createLaneResolver } = await import('@laneway/discovery')
  const { createGateway } = await import('../src/index.js')
  const resolver = createLaneResolver({
    sources: [{ name: 'mute', subscribe: () => () => {}, close: async () => {} }],
    readyTimeoutMs: 50,
  })
  const gateway = await createGateway({ resolver, routes, listeners: [{ host: '127.0.0.1' }] })
  t.teardown(() => gateway.close())
  await gateway.listen()
  t.notOk(gateway.ready)
  t.match(await send(gateway.address().port), {
    status: 503,
    headers: { 'retry-after': '1' },
    json: { code: 'not_ready' },
  })
})

t.test('an endpoint that refuses connections costs no request, whatever its method', async t => {
  const services = await startServices(t, { 'sc-a': [{}, { tag: 'gray' }] })
  const dead = { host: '127.0.0.1', port: await refusedPort() }
  services['sc-a']!.push(dead, { ...dead, port: await refusedPort(), tags: ['gray'] })
  const { port, log } = await start(
    t,
    services,
    { routes, rules: { version: 1, rules: [{ name: 'g', when: { path: { prefix: '/gray' } }, lane: 'gray' }] } },
    { balancer: 'round-robin' },
  )
  for (let sent = 0; sent < 12; sent++) {
    const lane = sent % 2 === 0 ? '/gray' : '/base'
    const { status, json } = await send(port, { method: 'POST', path: lane, body: 'whole' })
    t.equal(status, 200)
    t.match(json, { body: 'whole', at: lane === '/gray' ? 'sc-a-gray' : 'sc-a' })
  }
  t.ok(
    log.every(
      ({ endpoint, status }) =>
        status === 200 && services['sc-a']!.slice(0, 2).some(one => endpoint?.endsWith(`:${one.port}`)),
    ),
    'the log names the endpoint that answered',
  )
})

t.test('a request that was written is not sent again', async t => {
  let requests = 0
  const upstream = await tcp(t, socket => {
    socket.once('data', () => {
      requests++
      socket.resetAndDestroy()
    })
  })
  const { port } = await start(t, { 'sc-a': [{ host: '127.0.0.1', port: upstream }] }, { routes })
  t.equal((await send(port, { method: 'POST', body: 'once' })).status, 502)
  t.equal(requests, 1)
})

t.test('an upstream that closes an idle connection costs no request', async t => {
  let open = 0
  const server = createServer((_request, response) => {
    response.end('ok')
  })
  server.on('connection', () => open++)
  const upstream = await listen(t, server)
  const { port } = await start(t, { 'sc-a': [{ host: '127.0.0.1', port: upstream }] }, { routes })
  for (let round = 0; round < 3; round++) {
    t.equal((await send(port)).text, 'ok')
    server.closeIdleConnections()
  }
  t.ok(open >= 1)
})
