import { lookup } from 'node:dns/promises'
import { PassThrough } from 'node:stream'
import { createLaneResolver, createStaticSource, type SourceListener } from '@laneway/discovery'
import t from 'tap'
import { createGateway, type GatewayOptions } from '../src/index.js'
import { send, start, startServices } from './world.js'

const routes = [{ name: 'shop', service: 'sc-a' }]
const host = '127.0.0.1'

t.test('ready means that each service of a route has had a first answer of its registry', async t => {
  const listeners = new Map<string, SourceListener>()
  const resolver = createLaneResolver({
    sources: [
      {
        name: 'scripted',
        subscribe(service, listener) {
          listeners.set(service, listener)
          return () => {}
        },
        close: async () => {},
      },
    ],
  })
  const gateway = await createGateway({
    resolver,
    routes: [
      { path: { prefix: '/a' }, service: 'sc-a' },
      { path: { prefix: '/b' }, service: 'sc-b' },
      { path: { prefix: '/c' }, service: 'sc-c' },
    ],
    listeners: [{ host }],
    admin: { host },
  })
  t.teardown(() => gateway.close())
  t.notOk(gateway.ready)
  await gateway.listen()
  const admin = gateway.adminAddress().port
  const ready = () => send(admin, { path: '/readyz' })
  t.match(await ready(), { status: 503, json: { reason: 'sc-a has no endpoints yet' } })
  t.equal((await send(admin, { path: '/healthz' })).status, 200)
  listeners.get('sc-a')!.snapshot([{ host, port: 1 }])
  listeners.get('sc-b')!.missing()
  t.match(await ready(), { status: 503, json: { reason: 'sc-c has no endpoints yet' } })
  listeners.get('sc-c')!.snapshot([])
  t.equal((await ready()).status, 200, 'an empty list and no such service are answers')
  listeners.get('sc-a')!.stale(new Error('lost'))
  t.equal((await ready()).status, 200, 'a lost registry changes nothing')
  t.equal((await send(gateway.address().port, { path: '/healthz' })).status, 404, 'the public port has none of this')
})

t.test('the admin port answers GET and HEAD of its three paths, and 404 for the rest', async t => {
  const { gateway } = await start(t, {}, { routes: [], admin: { host } })
  const { port } = gateway.adminAddress()
  for (const path of ['/healthz', '/readyz', '/readyz?verbose', '/metrics']) {
    const read = await send(port, { path })
    t.equal(read.status, 200, path)
    const head = await send(port, { path, method: 'HEAD' })
    t.match(head, { status: 200, text: '', headers: { 'content-type': read.headers['content-type'] } }, path)
    t.equal((await send(port, { path, method: 'POST' })).status, 404, path)
  }
  t.match((await send(port, { path: '/healthz' })).json, { status: 'ok' })
  for (const path of ['/', '/healthz/', '/metricss']) t.equal((await send(port, { path })).status, 404, path)
})

t.test('an admin port on localhost answers on each address of it', async t => {
  const addresses = await lookup('localhost', { all: true })
  const { gateway } = await start(t, {}, { routes: [], admin: { host: 'localhost' } })
  const { port } = gateway.adminAddress()
  for (const { address, family } of addresses) {
    const url = family === 6 ? `http://[${address}]:${port}/healthz` : `http://${address}:${port}/healthz`
    t.equal((await fetch(url)).status, 200, url)
  }
})

t.test('a port that is taken is an error of listen()', async t => {
  const { port } = await start(t, {}, { routes: [] })
  const resolver = createLaneResolver({ sources: [createStaticSource({})] })
  const second = await createGateway({ resolver, routes: [], listeners: [{ host, port }] })
  await t.rejects(second.listen(), { code: 'EADDRINUSE', syscall: 'listen' })
  await second.close()
})

t.test('numbers by route, lane, served lane, outcome and class; names that a client makes up are _other', async t => {
  const services = await startServices(t, { 'sc-a': [{}, { tag: 'gray' }] })
  const { gateway, port, logged } = await start(t, services, { routes, trust: 'internal', admin: { host } })
  for (const tag of ['gray', 'gray', 'made-up-1', 'made-up-2', undefined]) {
    await send(port, { method: 'POST', body: 'four', headers: tag === undefined ? {} : { 'x-mse-tag': tag } })
    await logged()
  }
  const reply = await send(gateway.adminAddress().port, { path: '/metrics' })
  t.match(reply.headers['content-type'], /^text\/plain; version=0\.0\.4/)
  const { text } = reply
  const requests = (labels: string) =>
    new RegExp(`^laneway_gateway_requests_total\\{route="shop",${labels},code="2xx"} (\\d+)$`, 'm').exec(text)?.[1]
  t.equal(requests('lane="base",served="base",outcome="base"'), '1')
  t.equal(requests('lane="_other",served="base",outcome="fallback-missing"'), '2')
  t.notMatch(text, /made-up/)
  // The first of a lane is known by what served it, not by its name.
  t.equal(requests('lane="gray",served="gray",outcome="lane"'), '2')
  t.match(text, /duration_seconds_count\{route="shop",lane="base"} 1\n/)
  t.match(text, /duration_seconds_bucket\{route="shop",lane="base",le="\+Inf"} 1\n/)
  t.match(text, /request_bytes_total\{route="shop"} 20\n/)
  t.match(text, /^laneway_gateway_ready 1$/m)
  for (const line of text.trim().split('\n')) {
    t.match(line, /^(# (HELP|TYPE) |[a-z_]+(\{([a-z]+="[^"\\\n]*",?)+\})? -?[0-9.e+-]+$)/, line)
  }
})

t.test('a name that a label must escape is escaped', async t => {
  const services = await startServices(t, { 'sc-a': [{}] })
  const { gateway, port, logged } = await start(t, services, { routes: [{ name: 'a "b" \\ c', service: 'sc-a' }] })
  await send(port)
  await logged()
  t.match(gateway.metrics(), 'route="a \\"b\\" \\\\ c"')
})

t.test('one JSON line per request, without the query', async t => {
  const services = await startServices(t, { 'sc-a': [{}, { tag: 'gray' }] })
  const lines = new PassThrough()
  let text = ''
  let wake = (): void => {}
  lines.on('data', chunk => {
    text += chunk
    wake()
  })
  const rules = {
    version: 1 as const,
    rules: [{ name: 'tester', when: { header: { name: 'user-agent', exact: 'xiaoming' } }, lane: 'gray' }],
  }
  const { port } = await start(t, services, { routes, rules, accessLog: lines })
  await send(port, { path: '/p?token=secret', headers: { 'user-agent': 'xiaoming', host: 'shop.example' } })
  while (!text.includes('\n')) {
    await new Promise<void>(resolve => {
      wake = resolve
    })
  }
  t.notMatch(text, /secret/)
  const entry = JSON.parse(text)
  t.match(entry, {
    method: 'GET',
    host: 'shop.example',
    path: '/p',
    protocol: 'HTTP/1.1',
    client: host,
    status: 200,
    route: 'shop',
    service: 'sc-a',
    lane: 'gray',
    rule: 'tester',
    outcome: 'lane',
    served: 'gray',
    endpoint: `${host}:${services['sc-a']![1]!.port}`,
    requestBytes: 0,
  })
  t.ok(entry.upstreamMs <= entry.durationMs)
  t.ok(Date.parse(entry.time) <= Date.now())
})

t.test('new routes and rules are taken whole, or not at all', async t => {
  const services = await startServices(t, { 'sc-a': [{}, { tag: 'gray' }], 'sc-b': [{}] })
  const { gateway, port } = await start(t, services, { routes })
  const at = async (headers = {}) => (await send(port, { headers })).json?.at
  t.equal(await at(), 'sc-a')
  gateway.update({ routes: [{ service: 'sc-b' }] })
  t.equal(await at(), 'sc-b')
  const rules = { version: 1 as const, rules: [{ name: 'all', lane: 'gray' }] }
  t.throws(() => gateway.update({ routes: [{ service: 'no host' }], rules }), { code: 'LANEWAY_INVALID_OPTION' })
  t.throws(() => gateway.update({ routes, rules: { version: 1, rules: [{ name: 'x', lane: '' }] } }), {
    code: 'LANEWAY_INVALID_RULES',
  })
  t.equal(await at(), 'sc-b', 'what was refused changed nothing')
  gateway.update({ routes, rules })
  t.equal(await at(), 'sc-a-gray')
  gateway.update({ rules: { version: 1, rules: [] } })
  t.equal(await at(), 'sc-a')
})

t.test('options that are wrong are refused by name', async t => {
  const resolver = createLaneResolver({ sources: [createStaticSource({})] })
  t.teardown(() => resolver.close())
  const cases: [object, RegExp][] = [
    [{ routs: [] }, /no option "routs", did you mean "routes"/],
    [{ routes: {} }, /routes is a list/],
    [{ routes: [{ servce: 'a' }] }, /routes\[0] has no option "servce", did you mean "service"/],
    [{ routes: [{ service: 'a', path: { prefx: '/' } }] }, /routes\[0].path has no option "prefx"/],
    [{ routes: [{ service: 'a', path: { prefix: '/', exact: '/' } }] }, /path is one of exact, prefix, regex/],
    [{ routes: [{ service: 'a', timeoutMs: 0 }] }, /routes\[0].timeoutMs/],
    [{ routes: [{ service: 'a', scheme: 'ftp' }] }, /routes\[0].scheme is one of/],
    [{ routes: [{ service: 'a/b' }] }, /routes\[0].service is a name that a URL cannot carry, received "a\/b"/],
    [{ routes: [{ service: 'G@@s' }] }, /a URL cannot carry/],
    [
      { routes: [{ service: 'a', headers: { 'a b': 'c' } }] },
      /LANEWAY_INVALID_RULES: routes\[0].headers\[0].name is no header/,
    ],
    [{ routes: [{ service: 'a', upstream: {} }] }, /routes\[0] has no option "upstream"/],
    [{ routes: [{ service: 'a', timeoutMs: '500' }] }, /routes\[0].timeoutMs is .*, without quotes, received "500"/],
    [{ routes: [], client: { stallTimeoutMs: '500' } }, /client.stallTimeoutMs is .*, without quotes, received "500"/],
    [{ routes: [], resolver: {} }, /resolver is what createLaneResolver/],
    [{ routes: [], listeners: [] }, /listeners is a list of at least one/],
    [{ routes: [], listeners: [{ port: 65_536 }] }, /listeners\[0].port is a whole number from 0 to 65535/],
    [{ routes: [], listeners: [{ protocol: 'http3' }] }, /protocol is one of "http", "https", "h2c"/],
    [{ routes: [], listeners: [{ protocol: 'https' }] }, /tls is needed for https/],
    [{ routes: [], listeners: [{ tls: {} }] }, /tls is for protocol https/],
    [
      { routes: [], upstream: { connectTimeoutMs: Number.NaN } },
      /upstream.connectTimeoutMs is a number of milliseconds/,
    ],
    [{ routes: [], upstream: { connections: 0 } }, /upstream.connections is a whole number from 1/],
    [{ routes: [], drain: { delay: 1 } }, /drain has no option "delay", did you mean "delayMs"/],
    [{ routes: [], proxies: -1 }, /proxies is a whole number from 0/],
    [{ routes: [], proxies: 'some' }, /proxies is a whole number/],
    [{ routes: [], accessLog: 'yes' }, /accessLog is true, false, a function or a stream/],
    [{ routes: [], hostHeader: 'kept' }, /hostHeader is one of "keep", "service".*did you mean "keep"/],
    [{ routes: [], header: 'baggage' }, /header is the name/],
    [{ routes: [], trust: 'nobody' }, /trust is/],
    [{ routes: [], privateAnswers: 1 }, /privateAnswers is true or false/],
    [{ routes: [], random: 0.5 }, /random is a function/],
  ]
  for (const [options, message] of cases) {
    await t.rejects(createGateway({ resolver, ...options } as GatewayOptions), { message }, String(message))
  }
})
