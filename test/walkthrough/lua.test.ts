import { readFileSync } from 'node:fs'
import t from 'tap'
// @ts-expect-error a script without types
import { findProgram } from '../servers/debian.mjs'
import { type LuaInput, runLua } from './lua.js'
import { K8S, objectOf } from './manifests.js'

const missing: string | undefined = findProgram('lua5.1', 'lua5.1', '-v')
const skip = missing ?? false
const KEY = 'lua.traffic.routing.HTTPRoute.gateway.networking.k8s.io'
const script: string = objectOf('gateway-api', 'ConfigMap', 'kruise-rollout-configuration').data[KEY]

const TAG = { set: [{ name: 'x-mse-tag', value: 'gray' }] }
const XIAOMING = [{ headers: [{ type: 'Exact', name: 'User-Agent', value: 'xiaoming' }] }]
const ROOT = { path: { type: 'PathPrefix', value: '/' } }
const setsTag = { type: 'RequestHeaderModifier', requestHeaderModifier: TAG }

function backend(name: string, weight = 1) {
  return { group: '', kind: 'Service', name, port: 20001, weight }
}

/** What a TrafficRouting amounts to: canary and stable are one Service. */
function input(rules: unknown[], given: Partial<LuaInput> = {}): LuaInput {
  return {
    data: { spec: { rules } },
    canaryWeight: -1,
    stableWeight: 101,
    canaryService: 'spring-cloud-a',
    stableService: 'spring-cloud-a',
    ...given,
  }
}

t.test('both profiles have the script of the chart', async t => {
  t.equal(script, readFileSync(`${K8S}/chart/lua/http-route.lua`, 'utf8'))
  t.equal(objectOf('laneway-gateway', 'ConfigMap', 'kruise-rollout-configuration').data[KEY], script)
})

t.test(
  'the route that was recorded from the controller: a rule for the user in front, with the tag',
  { skip },
  async t => {
    const base = { backendRefs: [backend('spring-cloud-a')], matches: [ROOT] }
    const parentRefs = [
      { group: 'gateway.networking.k8s.io', kind: 'Gateway', name: 'public', namespace: 'gateway-system' },
    ]
    const given = input([base], { matches: XIAOMING, requestHeaderModifier: TAG })
    const { spec } = runLua(script, { ...given, data: { spec: { parentRefs, rules: [base] } } })
    t.strictSame(spec, {
      parentRefs,
      rules: [
        {
          backendRefs: [backend('spring-cloud-a')],
          filters: [setsTag],
          matches: [{ ...ROOT, headers: [{ name: 'User-Agent', type: 'Exact', value: 'xiaoming' }] }],
        },
        base,
      ],
    })
  },
)

for (const [profile, service] of [
  ['gateway-api', 'laneway-gateway'],
  ['laneway-gateway', 'spring-cloud-a'],
] as const) {
  t.test(`${profile}: the route of the manifests, coloured by its TrafficRouting`, { skip }, async t => {
    const { spec } = objectOf(profile, 'HTTPRoute', 'spring-cloud-a')
    const { strategy, objectRef } = objectOf(profile, 'TrafficRouting', 'lane-traffic').spec
    t.equal(objectRef[0].service, service)
    const services = { canaryService: service, stableService: service }
    const { matches, requestHeaderModifier } = strategy
    const coloured = runLua(script, { ...input([], { matches, requestHeaderModifier, ...services }), data: { spec } })
    t.equal(coloured.spec.rules.length, 2)
    t.strictSame(coloured.spec.rules[0].filters, [setsTag], 'a filter names a header once: it is no longer removed')
    t.strictSame(coloured.spec.rules[0].matches[0].headers, XIAOMING[0]?.headers)
    t.strictSame(coloured.spec.rules[1], spec.rules[0], 'everybody else is untouched')
  })

  t.test(`${profile}: half of the requests`, { skip }, async t => {
    const { spec } = objectOf(profile, 'HTTPRoute', 'spring-cloud-a')
    const { strategy } = objectOf(`${profile}/half-of-requests`, 'TrafficRouting', 'lane-traffic').spec
    const { weight, requestHeaderModifier } = strategy
    const given = { canaryWeight: weight, stableWeight: 100 - weight, requestHeaderModifier }
    const services = { canaryService: service, stableService: service }
    const { rules } = runLua(script, { ...input([], { ...given, ...services }), data: { spec } }).spec
    t.equal(rules.length, 1)
    const [rule] = spec.rules
    const [reference] = rule.backendRefs
    t.strictSame(rules[0], {
      ...rule,
      backendRefs: [
        { ...reference, weight: 50 },
        { ...reference, weight: 50, filters: [setsTag] },
      ],
    })
  })
}

t.test('without matches and weight the route stays as it is', { skip }, async t => {
  const rules = [{ matches: [ROOT], backendRefs: [backend('spring-cloud-a')] }]
  t.strictSame(runLua(script, input(rules, { requestHeaderModifier: TAG })).spec.rules, rules)
})

t.test('matches win over a weight', { skip }, async t => {
  const rules = [{ matches: [ROOT], backendRefs: [backend('spring-cloud-a')] }]
  const given = { matches: XIAOMING, canaryWeight: 20, stableWeight: 80, requestHeaderModifier: TAG }
  const coloured = runLua(script, input(rules, given)).spec.rules
  t.strictSame(
    coloured.map((rule: any) => rule.backendRefs[0].weight),
    [1, 1],
  )
})

t.test('own routes of a Rollout: the canary Service takes the matches, or its share', { skip }, async t => {
  const rules = [{ matches: [ROOT], backendRefs: [backend('spring-cloud-a')] }]
  const own = { canaryService: 'spring-cloud-a-canary' }
  const matched = runLua(script, input(rules, { ...own, matches: XIAOMING })).spec.rules
  t.strictSame(matched[0].backendRefs, [backend('spring-cloud-a-canary')])
  t.equal(matched[0].filters, undefined)
  t.strictSame(matched[1], rules[0])
  const shared = runLua(script, input(rules, { ...own, canaryWeight: 20, stableWeight: 80 })).spec.rules
  t.strictSame(shared[0].backendRefs, [backend('spring-cloud-a', 80), backend('spring-cloud-a-canary', 20)])
})

t.test('every match of a rule with every match of the strategy, other services untouched', { skip }, async t => {
  const other = { matches: [{ path: { type: 'Exact', value: '/other' } }], backendRefs: [backend('other')] }
  const rules = [
    other,
    {
      matches: [
        { path: { type: 'PathPrefix', value: '/a' }, headers: [{ type: 'Exact', name: 'user-agent', value: 'curl' }] },
        { path: { type: 'Exact', value: '/b' } },
      ],
      backendRefs: [backend('other'), backend('spring-cloud-a', 3)],
    },
    { backendRefs: [backend('spring-cloud-a')] },
  ]
  const matches = [
    { headers: [{ name: 'User-Agent', value: 'xiaoming' }] },
    { queryParams: [{ name: 'lane', value: 'gray' }], path: { type: 'PathPrefix', value: '/lane' } },
  ]
  const coloured = runLua(script, input(rules, { matches, requestHeaderModifier: TAG })).spec.rules
  t.equal(coloured.length, 5)
  const agent = [{ name: 'User-Agent', type: 'Exact', value: 'xiaoming' }]
  const lane = [{ name: 'lane', type: 'Exact', value: 'gray' }]
  t.strictSame(coloured[0].matches, [
    { path: { type: 'PathPrefix', value: '/a' }, headers: agent },
    {
      path: { type: 'PathPrefix', value: '/lane' },
      headers: [{ type: 'Exact', name: 'user-agent', value: 'curl' }],
      queryParams: lane,
    },
    { path: { type: 'Exact', value: '/b' }, headers: agent },
    { path: { type: 'PathPrefix', value: '/lane' }, queryParams: lane },
  ])
  t.strictSame(coloured[1].matches, [
    { ...ROOT, headers: agent },
    { path: { type: 'PathPrefix', value: '/lane' }, queryParams: lane },
  ])
  t.strictSame(coloured.slice(2), rules, 'the rules there were follow, in their order')
})

t.test('a filter that is there is extended, a header that it sets is replaced', { skip }, async t => {
  const present = {
    type: 'RequestHeaderModifier',
    requestHeaderModifier: {
      set: [
        { name: 'X-MSE-Tag', value: 'none' },
        { name: 'x-via', value: 'edge' },
      ],
      remove: ['x-mse-tag', 'x-debug'],
    },
  }
  const redirect = { type: 'URLRewrite', urlRewrite: { hostname: 'example.com' } }
  const rules = [{ matches: [ROOT], filters: [redirect, present], backendRefs: [backend('spring-cloud-a')] }]
  const modifier = { ...TAG, add: [{ name: 'x-hop', value: '1' }], remove: ['x-old'] }
  const coloured = runLua(script, input(rules, { matches: XIAOMING, requestHeaderModifier: modifier })).spec.rules
  t.strictSame(coloured[0].filters, [
    redirect,
    {
      type: 'RequestHeaderModifier',
      requestHeaderModifier: {
        set: [
          { name: 'x-mse-tag', value: 'gray' },
          { name: 'x-via', value: 'edge' },
        ],
        add: [{ name: 'x-hop', value: '1' }],
        remove: ['x-debug', 'x-old'],
      },
    },
  ])
  t.strictSame(coloured[1], rules[0])
})
