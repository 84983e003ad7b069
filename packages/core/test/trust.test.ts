import { createServer } from 'node:http'
import { connect, createServer as createHttp2Server } from 'node:http2'
import { connect as connectSocket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { channels, type IngressEvent, type IngressOptions, type IngressRequest } from '@laneway/core'
import { createIngress } from '@laneway/core/internal'
import { listen, rawRequest } from '@laneway/testkit'
import t from 'tap'

const SPOOF = 'a=1,x-mse-tag=gray,__microservice_tag__=%5B%7B%22tag%22%3A%22gray%22%7D%5D,b=2'

function from(remoteAddress: string | undefined, options: IngressOptions = {}): string | undefined {
  const request: IngressRequest = { headers: { 'x-mse-tag': 'gray' }, socket: { remoteAddress } }
  return createIngress('test', options)(request).lane?.header
}

t.test('by default socket peers with a private address are believed, all others are not', async t => {
  for (const address of [
    '127.0.0.1',
    '::1',
    '10.1.2.3',
    '172.16.0.1',
    '192.168.1.1',
    '100.64.0.1',
    'fd12::1',
    '::ffff:10.1.2.3',
  ]) {
    t.equal(from(address), 'gray', address)
  }
  for (const address of [
    '8.8.8.8',
    '172.32.0.1',
    '169.254.1.1',
    'fe80::1%eth0',
    '2001:db8::1',
    '::ffff:8.8.8.8',
    'nonsense',
    '',
    undefined,
  ]) {
    t.equal(from(address), undefined, String(address))
  }
  t.equal(from('127.0.0.1', { trust: 'private' }), 'gray')
  t.equal(createIngress('test')({ headers: { 'x-mse-tag': 'gray' } }).lane, undefined, 'no socket at all')
  t.equal(createIngress('test')({ headers: { 'x-mse-tag': 'gray' }, socket: null }).lane, undefined, 'a closed one')
})

t.test('X-Forwarded-For does not make a sender private', async t => {
  const headers = { 'x-mse-tag': 'gray', 'x-forwarded-for': '10.0.0.1', 'x-real-ip': '10.0.0.1' }
  t.equal(createIngress('test')({ headers, socket: { remoteAddress: '8.8.8.8' } }).lane, undefined)
})

t.test('"internal" believes all, "edge" believes none', async t => {
  for (const address of ['127.0.0.1', '8.8.8.8', undefined]) {
    t.equal(from(address, { trust: 'internal' }), 'gray')
    t.equal(from(address, { trust: 'edge' }), undefined)
  }
})

t.test('a predicate decides by itself; one that throws, or answers anything but true, trusts no sender', async t => {
  t.equal(from('8.8.8.8', { trust: request => request.socket.remoteAddress === '8.8.8.8' }), 'gray')
  t.equal(from('127.0.0.1', { trust: request => request.socket.remoteAddress === '8.8.8.8' }), undefined)
  t.equal(from('127.0.0.1', { trust: () => 1 as never }), undefined)
  t.equal(from('127.0.0.1', { trust: (async () => true) as never }), undefined)
  t.equal(
    from('127.0.0.1', {
      trust: () => {
        throw new Error('a predicate with a bug')
      },
    }),
    undefined,
  )
})

t.test('many peers do not change which addresses are private', async t => {
  const ingress = createIngress('test')
  const lane = (remoteAddress: string) => ingress({ headers: { 'x-mse-tag': 'gray' }, socket: { remoteAddress } }).lane
  for (let index = 0; index < 5000; index++) lane(`8.${index >> 8}.${index & 255}.8`)
  t.equal(lane('10.0.0.1')?.header, 'gray')
  t.equal(lane('8.0.0.8'), undefined)
})

t.test('trust has to be one of its values', async t => {
  for (const trust of ['privat', '', null, 7, ['private']] as never[]) {
    t.throws(() => createIngress('test', { trust }), { code: 'LANEWAY_INVALID_OPTION' })
  }
})

t.test('what is refused is removed from every view of a real request, whichever was looked at before', async t => {
  for (const look of [false, true]) {
    const ingress = createIngress('test', { trust: 'edge' })
    const port = await listen(
      t,
      createServer((request, response) => {
        if (look) [request.headers, request.headersDistinct]
        ingress(request)
        const { headers, headersDistinct, rawHeaders } = request
        response.end(JSON.stringify({ headers, headersDistinct, rawHeaders }))
      }),
    )
    const answer = await rawRequest(
      port,
      [
        'GET / HTTP/1.1',
        'Host: a',
        'X-MSE-Tag: gray',
        'X-Other: 1',
        'x-mse-tag: blue',
        `Baggage: ${SPOOF}`,
        'baggage: c=3',
        'BAGGAGE: x-mse-tag=blue',
        'X-Last: 2',
        'Connection: close',
        '',
        '',
      ].join('\r\n'),
    )
    const { headers, headersDistinct, rawHeaders } = JSON.parse(answer.slice(answer.indexOf('\r\n\r\n')))
    t.strictSame(headers, { host: 'a', 'x-other': '1', baggage: 'a=1,b=2, c=3', 'x-last': '2', connection: 'close' })
    t.strictSame(headersDistinct, {
      host: ['a'],
      'x-other': ['1'],
      baggage: ['a=1,b=2', 'c=3'],
      'x-last': ['2'],
      connection: ['close'],
    })
    t.strictSame(rawHeaders, [
      'Host',
      'a',
      'X-Other',
      '1',
      'Baggage',
      'a=1,b=2',
      'baggage',
      'c=3',
      'X-Last',
      '2',
      'Connection',
      'close',
    ])
  }
})

t.test('what is refused is removed from an HTTP/2 request', async t => {
  const ingress = createIngress('test', { trust: 'edge' })
  const server = createHttp2Server((request, response) => {
    ingress(request)
    response.end(JSON.stringify({ headers: request.headers, rawHeaders: request.rawHeaders }))
  })
  const port = await listen(t, server)
  const client = connect(`http://127.0.0.1:${port}`)
  t.teardown(() => client.destroy())
  const stream = client.request({ ':path': '/', 'x-mse-tag': ['gray', 'blue'], 'x-other': '1', baggage: SPOOF })
  let text = ''
  for await (const chunk of stream) text += chunk
  const { headers, rawHeaders } = JSON.parse(text)
  t.match(headers, { 'x-other': '1', baggage: 'a=1,b=2' })
  t.notHas(headers, { 'x-mse-tag': String })
  t.notMatch(rawHeaders.join(), /gray|blue/)
  t.match(rawHeaders.join(), 'x-other,1')
})

t.test('an HTTP/2 request is read as any other', async t => {
  const ingress = createIngress('test')
  const server = createHttp2Server((request, response) => {
    response.end(JSON.stringify(ingress(request).lane?.header ?? null))
  })
  const port = await listen(t, server)
  const client = connect(`http://127.0.0.1:${port}`)
  t.teardown(() => client.destroy())
  for (const [value, lane] of [
    ['gray', 'gray'],
    ['gray-2,gray', 'gray-2,gray'],
    [['gray', 'gray'], 'gray'],
    [['gray', 'blue'], null],
    ['-', null],
  ] as const) {
    let text = ''
    for await (const chunk of client.request({ ':path': '/', 'x-mse-tag': value as string })) text += chunk
    t.equal(JSON.parse(text), lane)
  }
})

t.test('baggage that was ours alone leaves no empty header', async t => {
  const request = {
    headers: { baggage: 'x-mse-tag=gray' },
    headersDistinct: { baggage: ['x-mse-tag=gray'] },
    rawHeaders: ['baggage', 'x-mse-tag=gray'],
  }
  createIngress('test', { trust: 'edge' })(request)
  t.strictSame([request.headers, request.headersDistinct, request.rawHeaders], [{}, {}, []])
})

t.test('a value that is no lane is removed from a believed request too', async t => {
  const request = {
    headers: { 'x-mse-tag': 'a b', baggage: SPOOF } as Record<string, string>,
    rawHeaders: ['X-Mse-Tag', 'a b', 'baggage', SPOOF],
  }
  t.equal(createIngress('test', { trust: 'internal' })(request).lane, undefined)
  t.strictSame([request.headers, request.rawHeaders], [{ baggage: 'a=1,b=2' }, ['baggage', 'a=1,b=2']])
})

t.test('a believed request is left as it came', async t => {
  const rawHeaders = ['X-Mse-Tag', 'gray', 'baggage', SPOOF]
  const request = { headers: { 'x-mse-tag': 'gray', baggage: SPOOF }, rawHeaders: [...rawHeaders] }
  t.equal(createIngress('test', { trust: 'internal' })(request).lane?.header, 'gray')
  t.strictSame(request.headers, { 'x-mse-tag': 'gray', baggage: SPOOF })
  t.strictSame(request.rawHeaders, rawHeaders)
})

t.test('with a header name of its own, that one is read, and an edge removes the default one, too', async t => {
  const request = () => ({ headers: { 'x-lane': 'gray', 'x-mse-tag': 'blue' } as Record<string, string> })
  t.equal(createIngress('test', { header: 'X-Lane', trust: 'internal' })(request()).lane?.header, 'gray')
  const refused = request()
  t.equal(createIngress('test', { header: 'X-Lane', trust: 'edge' })(refused).lane, undefined)
  t.strictSame(refused.headers, {})
  const believed = request()
  createIngress('test', { header: 'X-Lane', trust: 'internal' })(believed)
  t.strictSame(believed.headers, { 'x-lane': 'gray', 'x-mse-tag': 'blue' })
})

t.test('the peer of a unix socket is a process of this host: believed as on loopback', async t => {
  const path = join(tmpdir(), `laneway-${process.pid}.sock`)
  const events: IngressEvent[] = []
  const collect = (event: unknown) => {
    events.push(event as IngressEvent)
  }
  channels.ingress.subscribe(collect)
  t.teardown(() => channels.ingress.unsubscribe(collect))
  for (const trust of ['private', 'internal', 'edge'] as const) {
    const ingress = createIngress('test', { trust })
    const server = createServer((request, response) => {
      ingress(request)
      response.end()
    })
    await new Promise<void>(resolve => server.listen(path, resolve))
    await new Promise<void>(resolve => {
      const socket = connectSocket(path, () => {
        socket.write('GET / HTTP/1.1\r\nHost: a\r\nx-mse-tag: gray\r\nConnection: close\r\n\r\n')
      })
      socket.resume().on('close', () => resolve())
    })
    await new Promise(resolve => server.close(resolve))
  }
  t.match(events, [
    { lane: { header: 'gray' }, stripped: false },
    { lane: { header: 'gray' }, stripped: false },
    { lane: undefined, stripped: true },
  ])
})

t.test('no address makes no unix socket: the server has to listen on a path, and the socket has to be open', t => {
  const path = () => '/run/service.sock'
  const sockets: Record<string, [socket: object, lane: string | undefined]> = {
    'a unix socket': [{ server: { address: path } }, 'gray'],
    'a connection that has ended': [{ server: { address: path }, destroyed: true }, undefined],
    'TCP that was reset': [{ server: { address: () => ({ address: '::', family: 'IPv6', port: 80 }) } }, undefined],
    'a server that has stopped listening': [{ server: { address: () => null } }, undefined],
    'a public peer, handed to such a server': [{ server: { address: path }, remoteAddress: '8.8.8.8' }, undefined],
    'no server': [{ server: null }, undefined],
    'a server without address()': [{ server: {} }, undefined],
    'a server that throws': [
      {
        server: {
          address() {
            throw new Error('closed')
          },
        },
      },
      undefined,
    ],
  }
  for (const [name, [socket, lane]] of Object.entries(sockets)) {
    t.equal(createIngress('test')({ headers: { 'x-mse-tag': 'gray' }, socket }).lane?.header, lane, name)
  }
  t.end()
})
