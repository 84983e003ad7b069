// The cases of the Gateway API conformance tests of the same names, as data.
// https://github.com/kubernetes-sigs/gateway-api/tree/main/conformance/tests
import t from 'tap'
import {
  compileRules,
  createBackendPick,
  createHeaderModifier,
  createRouteMatcher,
  type HeaderModifier,
  type HttpRoute,
  type RouteMatch,
  type RulesRequest,
} from '../src/index.js'

type Headers = Record<string, string>

/** A route whose rule number n sends to the backend named for it, and sets a lane of the same name. */
function routeOf(name: string, rules: [string, RouteMatch[]][]): HttpRoute {
  return {
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'HTTPRoute',
    metadata: { name, namespace: 'gateway-conformance-infra' },
    spec: {
      rules: rules.map(([backend, matches]) => ({
        ...(matches.length === 0 ? {} : { matches }),
        filters: [
          { type: 'RequestHeaderModifier', requestHeaderModifier: { set: [{ name: 'x-mse-tag', value: backend }] } },
        ],
        backendRefs: [{ name: backend, port: 8080 }],
      })),
    },
  }
}

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
const color = (value: string) => ({ name: 'color', value })

t.test('HTTPRouteHeaderMatching', async t => {
  const backend = backendOf(
    routeOf('header-matching', [
      ['v1', [{ headers: [version('one')] }]],
      ['v2', [{ headers: [version('two')] }]],
      ['v1', [{ headers: [version('two'), color('orange')] }]],
      ['v1', [{ headers: [color('blue')] }, { headers: [color('green')] }]],
      ['v2', [{ headers: [color('red')] }, { headers: [color('yellow')] }]],
    ]),
  )
  const cases: [Headers, string][] = [
    [{ Version: 'one' }, 'v1'],
    [{ Version: 'two' }, 'v2'],
    [{ Version: 'two', Color: 'orange' }, 'v1'],
    [{ Version: 'two', Color: 'blue' }, 'v2'],
    [{ Color: 'blue' }, 'v1'],
    [{ Color: 'green' }, 'v1'],
    [{ Color: 'red' }, 'v2'],
    [{ Color: 'yellow' }, 'v2'],
    [{ Color: 'orange' }, '404'],
    [{ 'Some-Other-Header': 'one' }, '404'],
    [{ Color: 'purple' }, '404'],
  ]
  for (const [headers, expected] of cases) t.equal(backend(request('/', headers)), expected, JSON.stringify(headers))
})

t.test('HTTPRouteMatching', async t => {
  const backend = backendOf(
    routeOf('matching', [
      ['v1', [{ path: { type: 'PathPrefix', value: '/' } }, { headers: [version('one')] }]],
      ['v2', [{ path: { type: 'PathPrefix', value: '/v2' } }, { headers: [version('two')] }]],
    ]),
  )
  const cases: [string, Headers, string][] = [
    ['/', {}, 'v1'],
    ['/example', {}, 'v1'],
    ['/', { Version: 'one' }, 'v1'],
    ['/v2', {}, 'v2'],
    ['/v2/example', {}, 'v2'],
    ['/', { Version: 'two' }, 'v2'],
    ['/v2/', {}, 'v2'],
    ['/v2example', {}, 'v1'],
    ['/foo/v2/example', {}, 'v1'],
  ]
  for (const [path, headers, expected] of cases) {
    t.equal(backend(request(path, headers)), expected, `${path} ${JSON.stringify(headers)}`)
  }
})

t.test('precedence: exact path, longest prefix, method, most headers, most query parameters', async t => {
  const query = (name: string) => ({ name, value: '1' })
  const prefix = (value: string) => ({ path: { type: 'PathPrefix' as const, value } })
  const backend = backendOf(
    routeOf('precedence', [
      ['any', []],
      ['query-1', [{ ...prefix('/a'), queryParams: [query('p')] }]],
      ['query-2', [{ ...prefix('/a'), queryParams: [query('p'), query('q')] }]],
      ['header-1', [{ ...prefix('/a'), headers: [version('1')] }]],
      ['header-2', [{ ...prefix('/a'), headers: [version('1'), color('1')] }]],
      ['method', [{ ...prefix('/a'), method: 'POST' }]],
      ['long', [prefix('/a/b')]],
      ['regex', [{ path: { type: 'RegularExpression', value: '/a/[bx]' } }]],
      ['exact', [{ path: { type: 'Exact', value: '/a/b' } }]],
      ['short', [prefix('/a')]],
    ]),
  )
  const both = { version: '1', color: '1' }
  const cases: [string, string, Headers, string][] = [
    ['GET', '/b', both, 'any'],
    ['GET', '/a', {}, 'short'],
    ['GET', '/a?p=1', {}, 'query-1'],
    ['GET', '/a?p=1&q=1', {}, 'query-2'],
    ['GET', '/a?p=1&q=1', { version: '1' }, 'header-1'],
    ['GET', '/a?p=1&q=1', both, 'header-2'],
    ['POST', '/a?p=1&q=1', both, 'method'],
    ['POST', '/a/b/c?p=1&q=1', both, 'long'],
    ['POST', '/a/x?p=1&q=1', both, 'regex'],
    ['POST', '/a/b?p=1&q=1', both, 'exact'],
  ]
  for (const [method, path, headers, expected] of cases) {
    t.equal(backend(request(path, headers, method)), expected, `${method} ${path} ${JSON.stringify(headers)}`)
  }
})

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
  const multiple: HeaderModifier = {
    set: [header('X-Header-Set-1', 'header-set-1'), header('X-Header-Set-2', 'header-set-2')],
    add: [
      header('X-Header-Add-1', 'header-add-1'),
      header('X-Header-Add-2', 'header-add-2'),
      header('X-Header-Add-3', 'header-add-3'),
    ],
    remove: ['X-Header-Remove-1', 'X-Header-Remove-2'],
  }
  const mixed: HeaderModifier = {
    set: [header('X-Header-Set', 'header-set')],
    add: [header('X-Header-Add', 'header-add')],
    remove: ['X-Header-Remove'],
  }
  const set: HeaderModifier = { set: [header('X-Header-Set', 'set-overwrites-values')] }
  const add: HeaderModifier = { add: [header('X-Header-Add', 'add-appends-values')] }
  const cases: [string, HeaderModifier, Record<string, string | string[]>, Headers][] = [
    [
      'set',
      set,
      { 'some-other-header': 'val' },
      { 'some-other-header': 'val', 'x-header-set': 'set-overwrites-values' },
    ],
    ['set, present', set, { 'x-header-set': 'some-other-value' }, { 'x-header-set': 'set-overwrites-values' }],
    ['add', add, {}, { 'x-header-add': 'add-appends-values' }],
    [
      'add, present',
      add,
      { 'x-header-add': 'some-other-value' },
      { 'x-header-add': 'some-other-value,add-appends-values' },
    ],
    ['add, two lines', add, { 'x-header-add': ['a', 'b'] }, { 'x-header-add': 'a,b,add-appends-values' }],
    ['remove', { remove: ['X-Header-Remove'] }, { 'x-header-remove': 'val', a: 'b' }, { a: 'b' }],
    ['remove, absent', { remove: ['X-Header-Remove'] }, {}, {}],
    [
      'multiple',
      multiple,
      {
        'x-header-set-2': 'set-val-2',
        'x-header-add-2': 'add-val-2',
        'x-header-remove-2': 'remove-val-2',
        'another-header': 'another-header-val',
      },
      {
        'x-header-set-1': 'header-set-1',
        'x-header-set-2': 'header-set-2',
        'x-header-add-1': 'header-add-1',
        'x-header-add-2': 'add-val-2,header-add-2',
        'x-header-add-3': 'header-add-3',
        'another-header': 'another-header-val',
      },
    ],
    [
      'case-insensitivity',
      mixed,
      {
        'x-header-set': 'original-val-set',
        'x-header-add': 'original-val-add',
        'x-header-remove': 'original-val-remove',
        'another-header': 'another-header-val',
      },
      {
        'x-header-set': 'header-set',
        'x-header-add': 'original-val-add,header-add',
        'another-header': 'another-header-val',
      },
    ],
  ]
  for (const [name, modifier, headers, expected] of cases) {
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
  const pick = createBackendPick([{ weight: 70 }, { weight: 30 }, { weight: 0 }])
  const counts = [0, 0, 0]
  for (let point = 0; point < 10_000; point++) counts[pick(point / 10_000)]!++
  t.same(counts, [7000, 3000, 0])
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
