import t from 'tap'
import { isSharedCacheHeader, privateCacheControl } from '../src/head/response-head.js'
import { send, start, startServices } from './world.js'

const cases: readonly (readonly [upstream: string | undefined, becomes: string])[] = [
  [undefined, 'private'],
  ['', 'private'],
  ['public', 'private'],
  ['public, max-age=60', 'private, max-age=60'],
  ['PUBLIC, S-MaxAge=60, max-age=5', 'private, max-age=5'],
  ['s-maxage=60', 'private'],
  ['max-age=60, proxy-revalidate, must-revalidate', 'private, max-age=60, must-revalidate'],
  ['no-store', 'private, no-store'],
  ['public, no-store', 'private, no-store'],
  ['no-cache', 'private, no-cache'],
  ['private', 'private'],
  ['private, max-age=3', 'private, max-age=3'],
  ['private="set-cookie, x", max-age=3', 'private, max-age=3'],
  ['no-cache="a, public", public', 'private, no-cache="a, public"'],
  ['no-cache="a\\", public"', 'private, no-cache="a\\", public"'],
  [',, public ,', 'private'],
  ['immutable, stale-while-revalidate=30', 'private, immutable, stale-while-revalidate=30'],
]

t.test('an answer that belongs to one lane is private, and no weaker than the upstream asked for', async t => {
  for (const [upstream, becomes] of cases) t.equal(privateCacheControl(upstream), becomes, String(upstream))
})

t.test('fields that speak to shared caches alone are known', async t => {
  const names = ['cdn-cache-control', 'cloudflare-cdn-cache-control', 'example-cache-control', 'surrogate-control']
  for (const name of [...names, 'edge-control', 'x-accel-expires']) {
    t.ok(isSharedCacheHeader(name), name)
  }
  for (const name of ['cache-control', 'expires', 'age', 'access-control-allow-origin', 'cache-tag'])
    t.notOk(isSharedCacheHeader(name), name)
})

t.test('over HTTP: private for what a caller decides, as it was for what the URL decides', async t => {
  const handler = (at: string) => (_request: unknown, response: any) => {
    response.setHeader('Cache-Control', ['public, max-age=60', 's-maxage=600'])
    response.setHeader('CDN-Cache-Control', 'max-age=600')
    response.setHeader('Surrogate-Control', 'max-age=600')
    response.setHeader('Edge-Control', '!no-store, cache-maxage=1d')
    response.setHeader('ETag', '"1"')
    response.end(at)
  }
  const services = await startServices(t, {
    'sc-a': [{ handler: handler('base') }, { tag: 'gray', handler: handler('gray') }],
  })
  const routes = [{ service: 'sc-a' }]
  const lane = 'gray'
  const rules = {
    version: 1 as const,
    rules: [
      { name: 'first', when: { path: { prefix: '/first' } }, lane },
      { name: 'header', when: { header: { name: 'user-agent', exact: 'xiaoming' } }, lane },
      { name: 'cookie', when: { cookie: { name: 'beta', exact: '1' } }, lane },
      { name: 'query', when: { query: { name: 'beta', exact: '1' } }, lane },
      {
        name: 'percent',
        when: { path: { prefix: '/percent' } },
        split: { salt: 's', key: [{ header: 'x-user' }], lanes: [{ lane, from: 0, to: 10_000, percent: 100 }] },
      },
      { name: 'path', when: { path: { prefix: '/gray' } }, lane },
    ],
  }
  const { port } = await start(t, services, { routes, rules })
  const perCaller: [string, Record<string, string>][] = [
    ['/', { 'user-agent': 'xiaoming' }],
    ['/', { cookie: 'a=b; beta=1' }],
    ['/?beta=1', {}],
    ['/percent', { 'x-user': 'u1' }],
    ['/gray', { 'user-agent': 'xiaoming' }],
    // A path decides, after rules that looked at header and cookie: another caller may have gone elsewhere.
    ['/gray', {}],
  ]
  for (const [path, headers] of perCaller) {
    const reply = await send(port, { path, headers })
    t.equal(reply.text, 'gray', path)
    t.equal(reply.headers['cache-control'], 'private, max-age=60', `${path} ${JSON.stringify(headers)}`)
    t.equal(reply.rawHeaders.filter(name => /cache-control/i.test(name)).length, 1)
    t.equal(reply.headers['cdn-cache-control'], undefined)
    t.equal(reply.headers['surrogate-control'], undefined)
    t.equal(reply.headers['edge-control'], undefined)
    t.equal(reply.headers['etag'], '"1"')
  }
  const byUrl: [string, string][] = [
    ['/', 'base'],
    ['/first', 'gray'],
  ]
  for (const [path, text] of byUrl) {
    const reply = await send(port, { path })
    t.equal(reply.text, text)
    t.equal(reply.headers['cache-control'], 'public, max-age=60, s-maxage=600', path)
    t.equal(reply.headers['cdn-cache-control'], 'max-age=600')
  }

  const believing = await start(t, services, { routes, trust: 'internal' })
  const sent = await send(believing.port, { headers: { 'x-mse-tag': 'gray' } })
  t.equal(sent.text, 'gray')
  t.equal(sent.headers['cache-control'], 'private, max-age=60', 'the tag is a header too')

  const off = await start(t, services, { routes, rules, privateAnswers: false })
  const open = await send(off.port, { headers: { 'user-agent': 'xiaoming' } })
  t.equal(open.headers['cache-control'], 'public, max-age=60, s-maxage=600', 'it can be turned off')
})

t.test('a lane that a route gives is private when the route looks at the caller', async t => {
  const services = await startServices(t, { 'sc-a': [{}, { tag: 'gray' }] })
  const filters = [
    { type: 'RequestHeaderModifier', requestHeaderModifier: { set: [{ name: 'X-MSE-Tag', value: 'gray' }] } },
  ]
  const route = (path: string, extra: object, backendRefs: object[] = [{ name: 'sc-a' }]) => ({
    matches: [{ path: { value: path }, ...extra }],
    filters,
    backendRefs,
  })
  const { port } = await start(t, services, {
    routes: [
      {
        kind: 'HTTPRoute',
        spec: {
          rules: [
            route('/by-header', { headers: [{ name: 'x', value: '1' }] }),
            route('/by-query', { queryParams: [{ name: 'x', value: '1' }] }),
            route('/by-url', { method: 'GET' }),
            route('/both', { headers: [{ name: 'x', value: '1' }] }),
            route('/both', {}),
          ],
        },
      } as never,
    ],
  })
  const cases: [string, Record<string, string>, string | undefined][] = [
    ['/by-header', { x: '1' }, 'private'],
    ['/by-query?x=1', {}, 'private'],
    ['/by-url', {}, undefined],
    // The match with a header goes first, so the other one depends on the header too.
    ['/both', { x: '1' }, 'private'],
    ['/both', {}, 'private'],
  ]
  for (const [path, headers, expected] of cases) {
    const reply = await send(port, { path, headers })
    t.equal(reply.json.at, 'sc-a-gray', path)
    t.equal(reply.json.headers['x-mse-tag'], 'gray')
    t.equal(reply.headers['cache-control'], expected, path)
  }
})

t.test('a lane that a route gives is private when a rule that did not decide looks at the caller', async t => {
  const services = await startServices(t, { 'sc-a': [{}, { tag: 'gray' }, { tag: 'blue' }] })
  const filters = [
    { type: 'RequestHeaderModifier', requestHeaderModifier: { set: [{ name: 'x-mse-tag', value: 'gray' }] } },
  ]
  const when = { all: [{ path: { prefix: '/shop' } }, { cookie: { name: 'beta', exact: '1' } }] }
  const { port } = await start(t, services, {
    routes: [{ kind: 'HTTPRoute', spec: { rules: [{ filters, backendRefs: [{ name: 'sc-a' }] }] } } as never],
    rules: { version: 1, rules: [{ name: 'beta', when, lane: 'blue' }] },
  })
  const cases: [string, Record<string, string>, string, string | undefined][] = [
    ['/shop', { cookie: 'beta=1' }, 'sc-a-blue', 'private'],
    ['/shop', {}, 'sc-a-gray', 'private'],
    ['/else', { cookie: 'beta=1' }, 'sc-a-gray', undefined],
  ]
  for (const [path, headers, at, expected] of cases) {
    const reply = await send(port, { path, headers })
    t.equal(reply.json.at, at, path)
    t.equal(reply.headers['cache-control'], expected, path)
  }
})
