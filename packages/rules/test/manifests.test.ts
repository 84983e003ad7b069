import t from 'tap'
import { parseRules, type RulesOptions, type RulesRequest, slotOf } from '../src/index.js'

const TRAFFIC_ROUTING = `
apiVersion: rollouts.kruise.io/v1alpha1
kind: TrafficRouting
metadata: { name: mse-traffic, namespace: default }
spec:
  objectRef:
    - service: spring-cloud-a
      ingress: { classType: mse, name: spring-cloud-a }
  strategy:
    matches:
      - headers:
          - { type: Exact, name: User-Agent, value: xiaoming }
      - headers:
          - { type: RegularExpression, name: x-user, value: "t[0-9]+" }
          - { name: x-region, value: hz }
    requestHeaderModifier:
      set:
        - { name: X-MSE-Tag, value: gray }
`

const laneIn = (text: string, request: Partial<RulesRequest>, options?: RulesOptions): string | undefined =>
  parseRules(text, options).laneOf({ headers: {}, url: '/', method: 'GET', ...request })?.header

t.test('a TrafficRouting colours what it matches', async t => {
  t.equal(laneIn(TRAFFIC_ROUTING, { headers: { 'user-agent': 'xiaoming' } }), 'gray')
  t.equal(laneIn(TRAFFIC_ROUTING, { headers: { 'user-agent': 'xiaoming/1.0' } }), undefined)
  t.equal(laneIn(TRAFFIC_ROUTING, { headers: { 'x-user': 't12', 'x-region': 'hz' } }), 'gray')
  t.equal(laneIn(TRAFFIC_ROUTING, { headers: { 'x-user': 't12', 'x-region': 'bj' } }), undefined)
  t.equal(laneIn(TRAFFIC_ROUTING, { headers: { 'x-user': 'at12', 'x-region': 'hz' } }), undefined)
  t.equal(
    parseRules(TRAFFIC_ROUTING).decide({ headers: { 'user-agent': 'xiaoming' } })?.rule,
    'default/mse-traffic/matches[0]',
  )
})

t.test('a weight is sticky, needs a key, and matches win over it', async t => {
  const weight = TRAFFIC_ROUTING.replace(/ {4}matches:[\s\S]*?(?= {4}requestHeaderModifier)/, '    weight: 30\n')
  t.throws(() => parseRules(weight, { source: 'tr.yaml' }), {
    message: /tr\.yaml:10:5: spec\.strategy\.weight needs the option weightKey/,
  })
  const weightKey = [{ header: 'x-user' }]
  for (const id of ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h']) {
    const expected = slotOf('default/mse-traffic', id) < 3000 ? 'gray' : undefined
    t.equal(laneIn(weight, { headers: { 'x-user': id } }, { weightKey }), expected)
  }
  t.equal(laneIn(weight, {}, { weightKey }), undefined)
  t.equal(laneIn(weight, {}, { weightKey: 'random', random: () => 0.2999 }), 'gray')
  t.equal(laneIn(weight, {}, { weightKey: 'random', random: () => 0.3 }), undefined)
  const both = TRAFFIC_ROUTING.replace('    matches:', '    weight: 100\n    matches:')
  t.equal(laneIn(both, { headers: { 'x-user': 'a' } }, { weightKey: 'random' }), undefined)
  t.throws(() => parseRules(weight.replace('30', '101'), { weightKey }), { message: /is a percentage/ })
  t.throws(() => parseRules(weight, { weightKey: [] }), { code: 'LANEWAY_INVALID_OPTION' })
})

t.test('the lane header has the name that the option says', async t => {
  const other = TRAFFIC_ROUTING.replace('X-MSE-Tag', 'X-Lane')
  t.equal(laneIn(other, { headers: { 'user-agent': 'xiaoming' } }, { header: 'x-lane' }), 'gray')
  t.throws(() => parseRules(other), { message: /sets no header x-mse-tag, so it colours nothing/ })
})

const ROUTE = `
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: { name: shop, namespace: prod }
spec:
  hostnames: [shop.example, "*.shop.example"]
  rules:
    - matches:
        - path: { type: PathPrefix, value: /orders }
          headers: [{ name: x-user, value: xiaoming }]
        - path: { type: Exact, value: /beta }
      filters:
        - type: RequestHeaderModifier
          requestHeaderModifier:
            add: [{ name: x-mse-tag, value: "gray-2,gray" }]
            set: [{ name: x-other, value: "1" }]
            remove: [x-gone]
        - type: URLRewrite
      backendRefs: [{ name: shop, port: 80 }]
    - matches: [{ path: { value: /orders/health } }]
      backendRefs: [{ name: shop, port: 80 }]
    - backendRefs: [{ name: shop, port: 80 }]
`

t.test('an HTTPRoute colours through its header modifier, and its other rules keep their precedence', async t => {
  const cases: [string, string, Record<string, string>, string | undefined][] = [
    ['shop.example', '/orders/1', { 'x-user': 'xiaoming' }, 'gray-2,gray'],
    ['a.shop.example', '/orders/1', { 'x-user': 'xiaoming' }, 'gray-2,gray'],
    ['other.example', '/orders/1', { 'x-user': 'xiaoming' }, undefined],
    ['shop.example', '/orders/1', {}, undefined],
    ['shop.example', '/beta', {}, 'gray-2,gray'],
    ['shop.example', '/orders/health', { 'x-user': 'xiaoming' }, undefined],
  ]
  for (const [host, url, headers, expected] of cases) {
    t.equal(laneIn(ROUTE, { url, headers: { host, ...headers } }), expected, `${host} ${url}`)
  }
  const { notes } = parseRules(ROUTE)
  t.same(notes, [
    'prod/shop/rules[0]: set of header x-other is not applied',
    'prod/shop/rules[0]: remove of header x-gone is not applied',
    'prod/shop/rules[0]: filter "URLRewrite" is not applied',
  ])
})

t.test('a route that no rollout has touched colours nothing, and is a good document', async t => {
  t.equal(laneIn('{ "kind": "HTTPRoute", "spec": { "rules": [{ "backendRefs": [] }] } }', {}), undefined)
  t.equal(laneIn('{ "kind": "HTTPRoute", "spec": {} }', {}), undefined)
})

t.test('a file may hold several objects: TrafficRoutings come first, other kinds are passed over', async t => {
  const service = '\napiVersion: v1\nkind: Service\nmetadata: { name: a }\n'
  const text = ['---', service, ROUTE, '', TRAFFIC_ROUTING, service].join('\n---\n')
  t.equal(laneIn(text, { headers: { 'user-agent': 'xiaoming' } }), 'gray')
  t.equal(laneIn(text, { url: '/beta', headers: { host: 'shop.example', 'user-agent': 'xiaoming' } }), 'gray')
  t.equal(laneIn(text, { url: '/beta', headers: { host: 'shop.example' } }), 'gray-2,gray')
  t.throws(() => parseRules(`${service}---${service}`), { message: /neither a TrafficRouting nor an HTTPRoute/ })
  t.throws(() => parseRules(`${service}---\nversion: 1\nrules: []\n`), {
    message: /rules:6:1: \[1\] is no Kubernetes object/,
  })
  const list = `kind: List\nitems:\n${TRAFFIC_ROUTING.trim()
    .replace(/^/gm, '  ')
    .replace(/^ {2}apiV/, '- apiV')}`
  t.equal(laneIn(list, { headers: { 'user-agent': 'xiaoming' } }), 'gray')
})

t.test('each problem of a manifest is reported with its place', async t => {
  const cases: [string, string, string, RegExp][] = [
    [
      TRAFFIC_ROUTING,
      'value: gray',
      'value: g ray',
      /rules:18:\d+: spec\.strategy\.requestHeaderModifier\.set\[0\]\.value is no lane/,
    ],
    [
      TRAFFIC_ROUTING,
      '"t[0-9]+"',
      '"t[0-9"',
      /rules:14:\d+: spec\.strategy\.matches\[1\]\.headers\[0\]\.value is no RE2/,
    ],
    [
      TRAFFIC_ROUTING,
      'type: Exact',
      'type: Exactly',
      /rules:12:\d+: .*type is Exact or RegularExpression, received "Exactly"/,
    ],
    [TRAFFIC_ROUTING, 'name: User-Agent', 'name: "User Agent"', /rules:12:\d+: .*name is no header name/],
    [TRAFFIC_ROUTING, 'value: hz', 'value: 5', /rules:15:\d+: .*headers\[1\]\.value is a text, received 5/],
    [ROUTE, 'type: Exact', 'type: exact', /rules:11:\d+: .*matches\[1\]\.path\.type is Exact, PathPrefix or/],
    [ROUTE, 'value: /beta', 'value: beta', /rules:11:\d+: .*begins with "\/"/],
    [ROUTE, 'gray-2,gray', 'gray-2,,gray', /rules:15:\d+: .*is no lane, received "gray-2,,gray"/],
    [
      ROUTE,
      'backendRefs: [{ name: shop, port: 80 }]',
      'backendRefs: [{ name: a, filters: [{ type: RequestHeaderModifier, requestHeaderModifier: { set: [{ name: x-mse-tag, value: gray }] } }] }]',
      /rules:19:\d+: .*colours by the weight of a backend/,
    ],
    [ROUTE, 'rules:\n', 'rules: 5\n  x:\n', /rules:7:3: spec\.rules is a list, received 5/],
  ]
  for (const [text, from, to, message] of cases) {
    t.ok(text.includes(from))
    t.throws(() => parseRules(text.replace(from, to)), { code: 'LANEWAY_INVALID_RULES', message }, to)
  }
  t.throws(() => parseRules('kind: HTTPRoute'), { message: /spec is an object, received undefined/ })
  t.throws(() => parseRules('kind: TrafficRouting\nspec: []'), { message: /spec\.strategy is an object/ })
})
