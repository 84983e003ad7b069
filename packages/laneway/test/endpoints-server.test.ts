import { get } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { createHttpSource, createStaticSource, type Source } from '@laneway/discovery'
import { SourceReports } from '@laneway/testkit'
import t from 'tap'
import { EndpointsServer } from '../src/endpoints/endpoints-server.js'
import { readQuestion } from '../src/endpoints/question.js'

async function serve(t: { teardown(fn: () => unknown): void }, source: Source, more: object = {}, port = 0) {
  const server = new EndpointsServer({ source, hasNamespaces: false, maxClients: 100, ...more })
  await new Promise<void>(resolve => server.server.listen(port, '127.0.0.1', resolve))
  t.teardown(() => server.close())
  return { server, url: `http://127.0.0.1:${(server.server.address() as AddressInfo).port}` }
}

function follow(t: { teardown(fn: () => unknown): void }, url: string) {
  const source = createHttpSource(url, { minBackoffMs: 1, maxBackoffMs: 20, namespace: 'shop' })
  t.teardown(() => source.close())
  return source
}

function ask(url: string, method = 'GET'): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    get(url, { method, agent: false }, response => {
      let text = ''
      response.setEncoding('utf8')
      response.on('data', chunk => (text += chunk))
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text }))
    }).on('error', reject)
  })
}

const one = (port: number, ...tags: string[]) => [{ host: '10.0.0.1', port, tags }]

t.test('many processes follow one registry', async t => {
  const registry = createStaticSource({ orders: one(80, 'gray'), bills: [{ host: '10.0.0.2', port: 81 }] })
  let subscriptions = 0
  const counted: Source = {
    ...registry,
    subscribe: (service, listener) => {
      subscriptions++
      return registry.subscribe(service, listener)
    },
  }
  const { url } = await serve(t, counted)
  const seen = await Promise.all(
    Array.from({ length: 20 }, async () => {
      const source = follow(t, url)
      const reports = { orders: new SourceReports(), bills: new SourceReports(), users: new SourceReports() }
      for (const [service, { listener }] of Object.entries(reports)) source.subscribe(service, listener)
      await reports.orders.untilTable('10.0.0.1:80=gray')
      await reports.bills.untilTable('10.0.0.2:81=base')
      await reports.users.until(one => one.last === 'missing')
      return reports
    }),
  )
  t.equal(subscriptions, 3, 'one subscription a service')
  registry.update({ orders: one(80, 'blue'), bills: [{ host: '10.0.0.2', port: 81 }], users: one(82) })
  for (const { orders, bills, users } of seen) {
    await orders.untilTable('10.0.0.1:80=blue')
    await users.untilTable('10.0.0.1:82=base')
    t.strictSame(bills.kinds, ['snapshot'], 'a list that is the same is not sent again')
  }
})

t.test('a restart of the server loses nothing', async t => {
  const registry = createStaticSource({ orders: one(80), bills: one(81) })
  const first = await serve(t, registry)
  const source = follow(t, first.url)
  const [orders, bills] = [new SourceReports(), new SourceReports()]
  source.subscribe('orders', orders.listener)
  source.subscribe('bills', bills.listener)
  await orders.untilTable('10.0.0.1:80=base')
  await bills.untilTable('10.0.0.1:81=base')
  const { port } = first.server.server.address() as AddressInfo
  await first.server.close()
  await orders.until(one => one.last === 'stale')
  registry.update({ orders: one(80, 'gray'), bills: one(81) })
  await serve(t, registry, {}, port)
  await orders.untilTable('10.0.0.1:80=gray')
  await bills.until(one => one.last === 'snapshot')
  t.equal(bills.table, '10.0.0.1:81=base')
})

t.test('changes between two streams are not lost', async t => {
  const registry = createStaticSource({ orders: one(80) })
  const { server, url } = await serve(t, registry)
  const source = follow(t, url)
  const orders = new SourceReports()
  source.subscribe('orders', orders.listener)
  await orders.untilTable('10.0.0.1:80=base')
  for (let turn = 0; turn < 30; turn++) {
    if (turn % 2 === 0) source.subscribe(`other-${turn}`, new SourceReports().listener)
    else server.server.closeAllConnections()
    for (let i = 0; i < turn % 5; i++) await new Promise(resolve => setImmediate(resolve))
    registry.update({ orders: one(1000 + turn, `t${turn}`) })
    await orders.untilTable(`10.0.0.1:${1000 + turn}=t${turn}`)
  }
  t.pass('every change was seen')
})

t.test('a registry that is lost is passed on, and its return too', async t => {
  let listener: Parameters<Source['subscribe']>[1] | undefined
  const registry: Source = {
    name: 'scripted',
    subscribe: (_, given) => {
      listener = given
      return () => {}
    },
    connection: () => ({ connected: false, error: new Error('no registry') }),
    close: async () => {},
  }
  const { url } = await serve(t, registry)
  t.match(await ask(`${url}/readyz`), { status: 503, text: /no registry/ })
  t.match(await ask(`${url}/healthz`), { status: 200 })
  const seen = new SourceReports()
  follow(t, url).subscribe('orders', seen.listener)
  while (listener === undefined) await new Promise(resolve => setImmediate(resolve))
  listener.stale(new Error('no registry'))
  await seen.until(one => one.last === 'stale')
  listener.snapshot(one(80))
  await seen.untilTable('10.0.0.1:80=base')
  listener.stale(new Error('lost again'))
  await seen.until(one => one.last === 'stale')
  const late = new SourceReports()
  follow(t, url).subscribe('orders', late.listener)
  await late.until(one => one.last === 'stale')
  t.equal(late.table, '10.0.0.1:80=base', 'the last good list comes with it')
  listener.snapshot(one(80))
  await Promise.all([seen, late].map(reports => reports.until(one => one.last === 'snapshot')))
  t.match(late.errors[0]?.message, /lost again/)
})

t.test('a client that does not read costs no memory, and hears the newest list in the end', async t => {
  const big = (turn: number) =>
    Array.from({ length: 2_000 }, (_, index) => ({
      host: `10.1.${index >> 8}.${index & 255}`,
      port: 80,
      metadata: { turn: `${turn}`, filler: 'x'.repeat(500) },
    }))
  const registry = createStaticSource({ orders: big(0) })
  const { server, url } = await serve(t, registry)
  const socket = connect(Number(new URL(url).port), '127.0.0.1')
  socket.write('GET /v1/endpoints?service=orders HTTP/1.1\r\nhost: x\r\n\r\n')
  await new Promise(resolve => socket.once('data', resolve))
  socket.pause()
  for (let turn = 1; turn <= 100; turn++) {
    registry.update({ orders: big(turn) })
    await new Promise(resolve => setImmediate(resolve))
  }
  let tail = ''
  let isNewest = false
  socket.on('data', chunk => {
    tail += chunk
    isNewest ||= tail.includes('"turn":"100"')
    tail = tail.slice(-20)
  })
  socket.resume()
  while (!isNewest) await new Promise(resolve => setImmediate(resolve))
  t.ok(socket.bytesRead < 40 * 2 ** 20, `${socket.bytesRead} bytes of ${100 * 1.3} MB`)
  socket.destroy()
  while (server.clients > 0) await new Promise(resolve => setImmediate(resolve))
})

t.test('a process with 1,000 services comes back with all their versions', async t => {
  const names = Array.from({ length: 1_000 }, (_, index) => `service-with-a-name-of-some-length-${index}`)
  const registry = createStaticSource(Object.fromEntries(names.map(name => [name, one(80)])))
  const first = await serve(t, registry)
  const source = follow(t, first.url)
  const reports = names.map(name => {
    const seen = new SourceReports()
    source.subscribe(name, seen.listener)
    return seen
  })
  for (const seen of reports) await seen.untilTable('10.0.0.1:80=base')
  const { port } = first.server.server.address() as AddressInfo
  await first.server.close()
  await reports[0]!.until(seen => seen.last === 'stale')
  registry.update(Object.fromEntries(names.map(name => [name, one(80, 'gray')])))
  await serve(t, registry, {}, port)
  for (const seen of reports) await seen.untilTable('10.0.0.1:80=gray')
  t.pass('none was refused for the length of the request')
})

t.test('two names of one service are two lists of one subscription', async t => {
  const registry = createStaticSource({ 'orders.shop': one(80) })
  const { url } = await serve(t, registry, { hasNamespaces: true })
  const source = follow(t, url)
  const [short, whole] = [new SourceReports(), new SourceReports()]
  source.subscribe('orders', short.listener)
  source.subscribe('orders.shop', whole.listener)
  await Promise.all([short, whole].map(seen => seen.untilTable('10.0.0.1:80=base')))
  registry.update({ 'orders.shop': one(80, 'gray') })
  await Promise.all([short, whole].map(seen => seen.untilTable('10.0.0.1:80=gray')))
  t.strictSame(short.kinds, whole.kinds)
})

t.test('services that others follow do not count again against the limit', async t => {
  const { url, server } = await serve(t, createStaticSource({}))
  const ask1000 = (of: number) => Array.from({ length: 1_000 }, (_, index) => `service=s${of}-${index}`).join('&')
  const open = async (query: string) => {
    const socket = connect(Number(new URL(url).port), '127.0.0.1')
    t.teardown(() => socket.destroy())
    socket.write(`GET /v1/endpoints?${query} HTTP/1.1\r\nhost: x\r\n\r\n`)
    const [head] = await new Promise<[Buffer]>(resolve => socket.once('data', chunk => resolve([chunk])))
    return Number(/^HTTP\/1\.1 (\d+)/.exec(String(head))?.[1])
  }
  for (let of = 0; of < 10; of++) t.equal(await open(ask1000(of)), 200)
  t.equal(await open(ask1000(3)), 200, 'known ones')
  t.equal(await open('service=new'), 503)
  t.equal(server.clients, 11)
})

t.test('what is wrong is refused', async t => {
  const { url } = await serve(t, createStaticSource({}), { maxClients: 1, hasNamespaces: true })
  const cases: [path: string, status: number, text: RegExp][] = [
    ['/', 404, /\/v1\/endpoints/],
    ['/v1/endpoints', 400, /no service/],
    ['/v1/endpoints?namespace=shop', 400, /no service/],
    ['/v1/endpoints?service=orders', 400, /namespace/],
    ['/v1/endpoints?namespace=Shop_&service=orders', 400, /namespace/],
    ['/v1/endpoints?namespace=shop&service=or%0Aders', 400, /service name/],
    [`/v1/endpoints?namespace=shop&service=${'x'.repeat(256)}`, 400, /service name/],
    [`/v1/endpoints?namespace=shop${'&service=a'.repeat(1001)}`, 400, /1000 services/],
  ]
  for (const [path, status, text] of cases) t.match(await ask(url + path), { status, text }, path.slice(0, 60))
  t.match(await ask(`${url}/v1/endpoints?namespace=shop&service=a`, 'POST'), { status: 405 })
  const seen = new SourceReports()
  follow(t, url).subscribe('orders', seen.listener)
  await seen.until(one => one.last === 'missing')
  t.match(await ask(`${url}/v1/endpoints?namespace=shop&service=a`), { status: 503, text: /1 clients/ })
})

t.test('a name without namespace belongs to the namespace of the client', t => {
  t.strictSame(readQuestion('/v1/endpoints?namespace=shop&service=orders&service=bills.finance@0a1b2c3d.7', true), [
    { service: 'orders.shop', name: 'orders', version: undefined },
    { service: 'bills.finance', name: 'bills.finance', version: '0a1b2c3d.7' },
  ])
  t.strictSame(readQuestion('/v1/endpoints?namespace=shop&service=G@@orders', false), [
    { service: 'G@@orders', name: 'G@@orders', version: undefined },
  ])
  t.end()
})
