// The cases of the Gateway API conformance tests of the same names, as data: for the functions that match and modify,
// and for a gateway over HTTP.
// https://github.com/kubernetes-sigs/gateway-api/tree/main/conformance/tests
import type { HeaderModifier, HttpRoute, RouteMatch } from '@laneway/rules'

/** Requests to a route, and the backend that each must reach; `404` for none. */
export interface GatewayApiTable {
  readonly name: string
  readonly route: HttpRoute
  /** Every backend that the route names. */
  readonly backends: readonly string[]
  readonly cases: readonly {
    readonly method: string
    readonly path: string
    readonly headers: Readonly<Record<string, string>>
    readonly backend: string
  }[]
}

/** A modifier, the headers it is given, and what they become. */
export interface HeaderModifierCase {
  readonly name: string
  readonly modifier: HeaderModifier
  readonly headers: Readonly<Record<string, string | string[]>>
  readonly expected: Readonly<Record<string, string>>
}

type Rules = readonly (readonly [backend: string, matches: readonly RouteMatch[]])[]
type Case = readonly [target: string, headers: Readonly<Record<string, string>>, backend: string]

/** A route whose rules send to the backend named for each, and set a lane of the same name. */
export function gatewayApiRoute(name: string, rules: Rules): HttpRoute {
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

function table(name: string, rules: Rules, cases: readonly Case[]): GatewayApiTable {
  return {
    name,
    route: gatewayApiRoute(name.toLowerCase(), rules),
    backends: [...new Set(rules.map(([backend]) => backend))],
    cases: cases.map(([target, headers, backend]) => {
      const [method = 'GET', path = '/'] = target.split(' ')
      return { method, path, headers, backend }
    }),
  }
}

const version = (value: string) => ({ name: 'version', value })
const color = (value: string) => ({ name: 'color', value })
const query = (name: string) => ({ name, value: '1' })
const prefix = (value: string) => ({ path: { type: 'PathPrefix' as const, value } })
const both = { version: '1', color: '1' }

/** Which rule takes a request. */
export const gatewayApiTables: readonly GatewayApiTable[] = [
  table(
    'HTTPRouteHeaderMatching',
    [
      ['v1', [{ headers: [version('one')] }]],
      ['v2', [{ headers: [version('two')] }]],
      ['v1', [{ headers: [version('two'), color('orange')] }]],
      ['v1', [{ headers: [color('blue')] }, { headers: [color('green')] }]],
      ['v2', [{ headers: [color('red')] }, { headers: [color('yellow')] }]],
    ],
    [
      ['GET /', { Version: 'one' }, 'v1'],
      ['GET /', { Version: 'two' }, 'v2'],
      ['GET /', { Version: 'two', Color: 'orange' }, 'v1'],
      ['GET /', { Version: 'two', Color: 'blue' }, 'v2'],
      ['GET /', { Color: 'blue' }, 'v1'],
      ['GET /', { Color: 'green' }, 'v1'],
      ['GET /', { Color: 'red' }, 'v2'],
      ['GET /', { Color: 'yellow' }, 'v2'],
      ['GET /', { Color: 'orange' }, '404'],
      ['GET /', { 'Some-Other-Header': 'one' }, '404'],
      ['GET /', { Color: 'purple' }, '404'],
    ],
  ),
  table(
    'HTTPRouteMatching',
    [
      ['v1', [prefix('/'), { headers: [version('one')] }]],
      ['v2', [prefix('/v2'), { headers: [version('two')] }]],
    ],
    [
      ['GET /', {}, 'v1'],
      ['GET /example', {}, 'v1'],
      ['GET /', { Version: 'one' }, 'v1'],
      ['GET /v2', {}, 'v2'],
      ['GET /v2/example', {}, 'v2'],
      ['GET /', { Version: 'two' }, 'v2'],
      ['GET /v2/', {}, 'v2'],
      ['GET /v2example', {}, 'v1'],
      ['GET /foo/v2/example', {}, 'v1'],
    ],
  ),
  // Ours: the order of precedence, one step a row.
  table(
    'Precedence',
    [
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
    ],
    [
      ['GET /b', both, 'any'],
      ['GET /a', {}, 'short'],
      ['GET /a?p=1', {}, 'query-1'],
      ['GET /a?p=1&q=1', {}, 'query-2'],
      ['GET /a?p=1&q=1', { version: '1' }, 'header-1'],
      ['GET /a?p=1&q=1', both, 'header-2'],
      ['POST /a?p=1&q=1', both, 'method'],
      ['POST /a/b/c?p=1&q=1', both, 'long'],
      ['POST /a/x?p=1&q=1', both, 'regex'],
      ['POST /a/b?p=1&q=1', both, 'exact'],
    ],
  ),
]

const header = (name: string, value: string) => ({ name, value })
const set: HeaderModifier = { set: [header('X-Header-Set', 'set-overwrites-values')] }
const add: HeaderModifier = { add: [header('X-Header-Add', 'add-appends-values')] }

/** HTTPRouteRequestHeaderModifier, and two of ours: lines that are there twice, a name that is not there. */
export const headerModifierCases: readonly HeaderModifierCase[] = [
  {
    name: 'set',
    modifier: set,
    headers: { 'some-other-header': 'val' },
    expected: { 'some-other-header': 'val', 'x-header-set': 'set-overwrites-values' },
  },
  {
    name: 'set, present',
    modifier: set,
    headers: { 'x-header-set': 'some-other-value' },
    expected: { 'x-header-set': 'set-overwrites-values' },
  },
  { name: 'add', modifier: add, headers: {}, expected: { 'x-header-add': 'add-appends-values' } },
  {
    name: 'add, present',
    modifier: add,
    headers: { 'x-header-add': 'some-other-value' },
    expected: { 'x-header-add': 'some-other-value,add-appends-values' },
  },
  {
    name: 'add, two lines',
    modifier: add,
    headers: { 'x-header-add': ['a', 'b'] },
    expected: { 'x-header-add': 'a,b,add-appends-values' },
  },
  {
    name: 'remove',
    modifier: { remove: ['X-Header-Remove'] },
    headers: { 'x-header-remove': 'val', a: 'b' },
    expected: { a: 'b' },
  },
  { name: 'remove, absent', modifier: { remove: ['X-Header-Remove'] }, headers: {}, expected: {} },
  {
    name: 'multiple',
    modifier: {
      set: [header('X-Header-Set-1', 'header-set-1'), header('X-Header-Set-2', 'header-set-2')],
      add: [
        header('X-Header-Add-1', 'header-add-1'),
        header('X-Header-Add-2', 'header-add-2'),
        header('X-Header-Add-3', 'header-add-3'),
      ],
      remove: ['X-Header-Remove-1', 'X-Header-Remove-2'],
    },
    headers: {
      'x-header-set-2': 'set-val-2',
      'x-header-add-2': 'add-val-2',
      'x-header-remove-2': 'remove-val-2',
      'another-header': 'another-header-val',
    },
    expected: {
      'x-header-set-1': 'header-set-1',
      'x-header-set-2': 'header-set-2',
      'x-header-add-1': 'header-add-1',
      'x-header-add-2': 'add-val-2,header-add-2',
      'x-header-add-3': 'header-add-3',
      'another-header': 'another-header-val',
    },
  },
  {
    name: 'case-insensitivity',
    modifier: {
      set: [header('X-Header-Set', 'header-set')],
      add: [header('X-Header-Add', 'header-add')],
      remove: ['X-Header-Remove'],
    },
    headers: {
      'x-header-set': 'original-val-set',
      'x-header-add': 'original-val-add',
      'x-header-remove': 'original-val-remove',
      'another-header': 'another-header-val',
    },
    expected: {
      'x-header-set': 'header-set',
      'x-header-add': 'original-val-add,header-add',
      'another-header': 'another-header-val',
    },
  },
]

/** HTTPRouteWeight: the shares that these weights give; the last is never seen. */
export const weightCase = Object.freeze({
  backends: ['v1', 'v2', 'v3'],
  weights: [70, 30, 0],
  shares: [0.7, 0.3, 0],
  /** As the conformance test sends and allows. */
  requests: 500,
  tolerance: 0.05,
})
