// The cases of the Gateway API conformance tests are data in the testkit: here for the functions, and over HTTP in the
// tests of the gateway.
import { gatewayApiTables, headerModifierCases, gatewayApiRoute as routeOf, weightCase } from '@laneway/testkit'
import t from 'tap'
import { compileRules, type HeaderModifier, type HttpRoute, type RulesRequest } from '../src/index.js'
import { createBackendPick, createHeaderModifier, createRouteMatcher } from '../src/internal.js'

type Headers = Readonly<Record<string, string>>

function request(path: string, headers: Headers = {}, method = 'GET'): RulesRequest {
  const lower = Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value])
  return { method, url: path, headers: Object.fromEntries(lower) }
}

/** Both readings of a route: as routing, and as colouring. */
function backendOf(routes: HttpRoute | HttpRoute[]): (request: RulesRequest) => string {
  const list = Array.isArray(routes) ? routes : [routes]
  const match = createRouteMatcher(list)
  const { laneOf } = compileRules(list)
  return sent => {
    const routed = match(sent)?.rule.backendRefs?.[0]?.name ?? '404'
    const coloured = laneOf(sent)?.header ?? '404'
    return routed === coloured ? routed : `routed to ${routed}, coloured ${coloured}`
  }
}

const version = (value: string) => ({ name: 'version', value })

for (const { name, route, cases } of gatewayApiTables) {
  t.test(name, async t => {
    const backend = backendOf(route)
    for (const { method, path, headers, backend: expected } of cases) {
      t.equal(backend(request(path, headers, method)), expected, `${method} ${path} ${JSON.stringify(headers)}`)
    }
  })
}

t.test('of equal matches the oldest route wins, then the name, then the first rule', async t => {
  const at = (name: string, creationTimestamp?: string): HttpRoute => {
    const route = routeOf(name, [
      [name, []],
      [`${name}-second`, []],
    ])
    return {
      ...route,
      metadata: { ...route.metadata, ...(creationTimestamp === undefined ? {} : { creationTimestamp }) },
    }
  }
  const [young, old, none] = [at('a', '2026-02-01T00:00:00Z'), at('c', '2026-01-01T00:00:00Z'), at('0')]
  t.equal(backendOf([young, old, none])(request('/')), 'c')
  t.equal(backendOf([at('b'), at('a'), at('c')])(request('/')), 'a')
  t.equal(backendOf([young, none])(request('/')), 'a')
})

t.test('the most specific host name comes before the path', async t => {
  const on = (name: string, hostnames: string[], path: string): HttpRoute => {
    const route = routeOf(name, [[name, [{ path: { type: 'PathPrefix', value: path } }]]])
    return { ...route, spec: { ...route.spec, hostnames } }
  }
  const backend = backendOf([
    on('any', [], '/long/path'),
    on('wild', ['*.example.com'], '/long'),
    on('longer-wild', ['*.shop.example.com'], '/'),
    on('name', ['a.shop.example.com', 'b.shop.example.com', 'c.shop.example.com'], '/'),
  ])
  const cases: [string, string][] = [
    ['elsewhere.org', 'any'],
    ['x.example.com', 'wild'],
    ['x.shop.example.com:80', 'longer-wild'],
    ['b.shop.example.com', 'name'],
  ]
  for (const [host, expected] of cases) t.equal(backend(request('/long/path/x', { Host: host })), expected, host)
})

t.test('of equal names in one match the first counts', async t => {
  const backend = backendOf(
    routeOf('names', [
      [
        'headers',
        [{ headers: [version('one'), { name: 'VERSION', value: 'two' }, { name: 'Version', value: 'three' }] }],
      ],
      [
        'query',
        [
          {
            queryParams: [
              { name: 'p', value: '1' },
              { name: 'P', value: '2' },
              { name: 'p', value: '3' },
            ],
          },
        ],
      ],
    ]),
  )
  t.equal(backend(request('/', { version: 'one' })), 'headers')
  t.equal(backend(request('/', { version: 'two' })), '404')
  t.equal(backend(request('/?p=1&P=2')), 'query')
  t.equal(backend(request('/?p=1&P=1')), '404')
})

t.test('HTTPRouteRequestHeaderModifier', async t => {
  const header = (name: string, value: string) => ({ name, value })
  for (const { name, modifier, headers, expected } of headerModifierCases) {
    t.same(createHeaderModifier(modifier)({ ...headers }), expected, name)
  }
  const refused: HeaderModifier[] = [
    { set: [header('a', '1')], remove: ['A'] },
    { set: [header('a', '1\r\nb: 2')] },
    { set: [header('a b', '1')] },
    { add: [header('a', '小')] },
    { remove: [''] },
    { sett: [] } as HeaderModifier,
  ]
  for (const modifier of refused) {
    t.throws(() => createHeaderModifier(modifier), { code: 'LANEWAY_INVALID_RULES' }, JSON.stringify(modifier))
  }
})

t.test('HTTPRouteWeight', async t => {
  const pick = createBackendPick(weightCase.weights.map(weight => ({ weight })))
  const counts = [0, 0, 0]
  for (let point = 0; point < 10_000; point++) counts[pick(point / 10_000)]!++
  t.same(
    counts,
    weightCase.shares.map(share => share * 10_000),
  )
  t.equal(pick(0.9999999999999999), 1, 'weight 0 is never seen')
  t.equal(createBackendPick([{}, { weight: 1 }])(0.5), 1, 'a missing weight is 1')
  t.equal(createBackendPick([{ weight: 0 }, { weight: 5 }])(0), 1)
  t.equal(createBackendPick([{ weight: 0 }, { weight: 0 }])(0), -1)
  t.equal(createBackendPick([])(0), -1)
  for (const weight of [-1, 1.5, Number.NaN, 1_000_001]) {
    t.throws(() => createBackendPick([{ weight }]), { code: 'LANEWAY_INVALID_RULES' })
  }
})

t.test('HTTPRouteRequestHeaderModifierBackendWeights: the header always names the backend that was hit', async t => {
  const names = ['infra-backend-v1', 'infra-backend-v2']
  const pick = createBackendPick(names.map(() => ({ weight: 10 })))
  const modify = names.map(value => createHeaderModifier({ set: [{ name: 'Backend', value }] }))
  const seen = new Set<number>()
  for (let index = 0; index < 100; index++) {
    const hit = pick(index / 100)
    seen.add(hit)
    t.equal(modify[hit]!({ backend: 'spoofed' })['backend'], names[hit])
  }
  t.equal(seen.size, 2)
})
