import { createIngress } from '@laneway/core/internal'
import t from 'tap'
import { compileRules, type RulesDocument } from '../src/index.js'

const on = (name: string) => ({ header: { name, exists: true } })
const request = (...names: string[]) => ({
  headers: Object.fromEntries(names.map(name => [name, '1'])) as Record<string, string>,
  url: '/',
})

t.test('without priorities the order of the list counts', async t => {
  const { decide } = compileRules({
    version: 1,
    rules: [
      { name: 'first', when: on('a'), lane: 'one' },
      { name: 'second', when: on('b'), lane: 'two' },
      { name: 'third', when: on('c'), lane: 'three' },
    ],
  })
  t.equal(decide(request('c', 'b'))?.rule, 'second')
  t.equal(decide(request('c', 'b', 'a'))?.rule, 'first')
  t.equal(decide(request('d')), undefined)
})

t.test('the lowest priority is tried first', async t => {
  const { decide } = compileRules({
    version: 1,
    rules: [
      { name: 'third', priority: 30, when: on('c'), lane: 'three' },
      { name: 'first', priority: -1, when: on('a'), lane: 'one' },
      { name: 'second', priority: 0, when: on('b'), lane: 'two' },
    ],
  })
  t.match(decide(request('c', 'b', 'a')), { rule: 'first', position: 0 })
  t.match(decide(request('c', 'b')), { rule: 'second', position: 1 })
  t.match(decide(request('c')), { rule: 'third', position: 2 })
})

t.test('lane null ends the search without colouring', async t => {
  const { decide, laneOf } = compileRules({
    version: 1,
    rules: [
      { name: 'health', when: { path: { exact: '/' } }, lane: null },
      { name: 'all', lane: 'gray' },
    ],
  })
  t.match(decide(request('a')), { rule: 'health', lane: undefined })
  t.equal(laneOf(request('a')), undefined)
  t.equal(laneOf({ headers: {}, url: '/x' })?.header, 'gray')
})

t.test('a decision says whether another caller can get another lane for the same path', async t => {
  const perCaller = (when: NonNullable<RulesDocument['rules'][number]['when']>): boolean | undefined =>
    compileRules({
      version: 1,
      rules: [{ name: 'r', when: { any: [when, { path: { exact: '/' } }] }, lane: 'gray' }],
    }).decide({ headers: {}, url: '/' })?.perCaller
  t.equal(perCaller({ path: { prefix: '/a' } }), false)
  t.equal(perCaller({ not: { all: [{ host: { exact: 'a' } }, { method: { exact: 'GET' } }] } }), false)
  t.equal(perCaller(on('a')), true)
  t.equal(perCaller({ not: { cookie: { name: 'a', exists: true } } }), true)
  t.equal(perCaller({ query: { name: 'a', exists: true } }), true)
  t.equal(perCaller({ address: { exists: true } }), true)
  const split = compileRules({
    version: 1,
    rules: [
      {
        name: 's',
        split: { salt: 's', key: ['address'], lanes: [{ lane: 'gray', from: 0, to: 10_000, percent: 100 }] },
      },
    ],
  })
  t.match(split.decide({ headers: {}, socket: { remoteAddress: '10.0.0.1' } }), { perCaller: true })
})

t.test('an ingress takes laneOf as it is, and a believed tag comes before the rules', async t => {
  const { laneOf } = compileRules({ version: 1, rules: [{ name: 'r', when: on('a'), lane: 'gray-2,gray' }] })
  const edge = createIngress('test', { trust: 'edge', rules: laneOf })
  const inside = createIngress('test', { trust: 'internal', rules: laneOf })
  t.same(edge(request('a')).lane?.tags, ['gray-2', 'gray'])
  t.equal(edge({ headers: { 'x-mse-tag': 'blue' } }).lane, undefined)
  t.equal(edge({ headers: { 'x-mse-tag': 'blue', a: '1' } }).lane?.header, 'gray-2,gray')
  t.equal(inside({ headers: { 'x-mse-tag': 'blue', a: '1' } }).lane?.header, 'blue')
})

t.test('decisions and compiled rules are frozen, and the document may change afterwards', async t => {
  const rules = [{ name: 'r', when: { header: { name: 'a', in: ['1', '2', '3'] } }, lane: 'gray' }]
  const compiled = compileRules({ version: 1, rules })
  rules[0]!.when.header.in.length = 0
  rules[0]!.lane = 'blue'
  t.equal(compiled.laneOf(request('a'))?.header, 'gray')
  t.ok(Object.isFrozen(compiled))
  t.ok(Object.isFrozen(compiled.decide(request('a'))))
  t.equal(compiled.size, 1)
})

t.test('a decision depends on the caller when a rule before it might have decided for another one', async t => {
  const cookie = { cookie: { name: 'beta', exact: '1' } }
  const shop = { path: { prefix: '/shop' } }
  type When = NonNullable<RulesDocument['rules'][number]['when']>
  const after = (before: When, url = '/shop/1'): [boolean | undefined, boolean] => {
    const { decide, dependsOnCaller, explain } = compileRules({
      version: 1,
      rules: [
        { name: 'first', when: { path: { exact: '/first' } }, lane: 'red' },
        { name: 'before', when: before, lane: 'blue' },
        { name: 'path', when: shop, lane: 'gray' },
      ],
    })
    const request = { method: 'GET', url, headers: { host: 'a.example' } }
    t.equal(explain(request).decision, decide(request))
    return [decide(request)?.perCaller, dependsOnCaller(request)]
  }
  const cases: [string, When, boolean][] = [
    ['cookie', cookie, true],
    ['cookie on this path', { all: [shop, cookie] }, true],
    ['cookie on another path', { all: [{ path: { prefix: '/else' } }, cookie] }, false],
    ['cookie on another host', { all: [{ host: { exact: 'b.example' } }, cookie] }, false],
    ['cookie by another method', { all: [{ method: { exact: 'PUT' } }, cookie] }, false],
    ['no cookie', { not: cookie }, true],
    [
      'not both',
      { not: { all: [{ path: { exact: '/shop/1' } }, cookie, { header: { name: 'a', exists: false } }] } },
      true,
    ],
    ['not either of which one is given', { not: { any: [shop, cookie] } }, false],
    ['another path or a cookie', { any: [{ path: { exact: '/else' } }, cookie] }, true],
    [
      'one of two paths with a cookie',
      { all: [{ any: [{ path: { exact: '/else' } }, { path: { exact: '/x' } }] }, cookie] },
      false,
    ],
    ['address', { address: { exact: '10.0.0.1' } }, true],
    ['another path alone', { path: { exact: '/else' } }, false],
  ]
  for (const [name, when, expected] of cases) t.same(after(when), [expected, expected], name)
  t.same(after(cookie, '/first'), [false, true], 'what stands before it counts, not what stands behind')
  t.same(after(cookie, '/none'), [undefined, true], 'without a decision all rules count')
})
