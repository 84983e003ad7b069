import fc from 'fast-check'
import t from 'tap'
import {
  type Condition,
  compileRules,
  type NamedTest,
  type Rule,
  type RulesRequest,
  type TextTest,
} from '../src/index.js'

const word = fc.constantFrom('a', 'b', 'c', 'd', '')
const path = fc
  .array(fc.constantFrom('a', 'b', 'c', ''), { minLength: 1, maxLength: 4 })
  .map(parts => `/${parts.join('/')}`)
const someWords = fc.uniqueArray(word, { minLength: 1, maxLength: 3 })
const textTest: fc.Arbitrary<TextTest> = fc.oneof(
  word.map(exact => ({ exact })),
  someWords.map(values => ({ in: values })),
  word.map(prefix => ({ prefix })),
  fc.boolean().map(exists => ({ exists })),
)
const pathTest: fc.Arbitrary<TextTest> = fc.oneof(
  path.map(exact => ({ exact })),
  path.map(prefix => ({ prefix })),
  fc.uniqueArray(path, { minLength: 1, maxLength: 3 }).map(values => ({ in: values })),
)
const hosts = fc.constantFrom('a.x', 'b.x', '*.x', 'c')
const named: fc.Arbitrary<NamedTest> = fc
  .tuple(fc.constantFrom('n1', 'n2', 'n3'), textTest)
  .map(([name, test]) => ({ name, ...test }))
const condition = fc.letrec<{ node: Condition }>(tie => ({
  node: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    fc.oneof(
      pathTest.map((path): Condition => ({ path })),
      fc.constantFrom('GET', 'POST', 'PUT').map((exact): Condition => ({ method: { exact } })),
      fc.uniqueArray(hosts, { minLength: 1, maxLength: 2 }).map((values): Condition => ({ host: { in: values } })),
      named.map((header): Condition => ({ header })),
      named.map((query): Condition => ({ query })),
      named.map((cookie): Condition => ({ cookie })),
    ),
    fc.array(tie('node'), { minLength: 1, maxLength: 3 }).map((all): Condition => ({ all })),
    fc.array(tie('node'), { minLength: 1, maxLength: 3 }).map((any): Condition => ({ any })),
    tie('node').map((not): Condition => ({ not })),
  ),
})).node

const pairs = fc.array(fc.tuple(fc.constantFrom('n1', 'n2', 'n3'), word), { maxLength: 4 })
const request: fc.Arbitrary<RulesRequest> = fc
  .record({
    path,
    query: pairs,
    cookies: pairs,
    headers: pairs,
    method: fc.constantFrom('GET', 'POST'),
    host: fc.constantFrom('a.x', 'd.x', 'c', 'x'),
  })
  .map(({ path, query, cookies, headers, method, host }) => ({
    method,
    url: `${path}?${query.map(([name, value]) => `${name}=${value}`).join('&')}`,
    headers: {
      ...Object.fromEntries(headers),
      cookie: cookies.map(([name, value]) => `${name}=${value}`).join('; '),
      host,
    },
  }))

t.test('the index finds what trying rule by rule finds', async t => {
  let decided = 0
  fc.assert(
    fc.property(
      fc.array(condition, { minLength: 1, maxLength: 8 }),
      fc.array(request, { minLength: 1, maxLength: 6 }),
      (conditions, requests) => {
        const seen = new Set<string>()
        const rules: Rule[] = []
        for (const when of conditions) {
          if (seen.has(JSON.stringify(when))) continue
          seen.add(JSON.stringify(when))
          rules.push({ name: `r${rules.length}`, when, lane: 'gray' })
        }
        const { decide, explain } = compileRules({ version: 1, rules })
        for (const sent of requests) {
          const found = decide(sent)
          if (found !== undefined) decided++
          if (found !== explain(sent).decision) return false
        }
        return true
      },
    ),
    { numRuns: 600 },
  )
  t.ok(decided > 400, `${decided} decisions compared`)
})

t.test('a thousand rules over a thousand header names find theirs, and only theirs', async t => {
  const rules = Array.from({ length: 1000 }, (_, index) => ({
    name: `r${index}`,
    when: { header: { name: `x-${index}`, exact: `${index}` } },
    lane: `lane-${index}`,
  }))
  const { laneOf } = compileRules({ version: 1, rules })
  t.equal(laneOf({ headers: { 'x-500': '500', 'x-700': '700' } })?.header, 'lane-500')
  t.equal(laneOf({ headers: { 'x-500': '501', 'x-700': '700' } })?.header, 'lane-700')
  t.equal(laneOf({ headers: { 'x-1000': '1000', host: 'a' } }), undefined)
})

t.test('request data never throws', async t => {
  const rules: Rule[] = [
    { name: 'a', when: { path: { regex: '/a.*' } }, lane: 'a' },
    {
      name: 'b',
      when: { all: [{ header: { name: 'x', range: { min: 1 } } }, { cookie: { name: 'x', prefix: 'x' } }] },
      lane: 'b',
    },
    { name: 'c', when: { query: { name: 'x', in: ['1', '2', '3'] } }, lane: 'c' },
    { name: 'd', when: { host: { exact: '*.example' } }, lane: 'd' },
    { name: 'e', when: { address: { in: ['10.0.0.0/8'] } }, lane: 'e' },
    { name: 'f', when: { method: { exact: 'GET' } }, lane: 'f' },
    { name: 'g', when: { path: { prefix: '/a' } }, lane: 'g' },
    {
      name: 'h',
      split: {
        salt: 's',
        key: [{ header: 'x' }, { cookie: 'x' }, { query: 'x' }, 'address'],
        lanes: [{ lane: 'h', from: 0, to: 10_000, percent: 100 }],
      },
    },
  ]
  const { laneOf, explain } = compileRules({ version: 1, rules })
  const junk = fc.anything()
  fc.assert(
    fc.property(
      fc.record({
        headers: fc.oneof(
          fc.dictionary(
            fc.constantFrom('x', 'cookie', 'host', '__proto__', 'constructor', ':authority'),
            fc.oneof(fc.string({ unit: 'binary' }), fc.array(fc.string())),
          ),
          junk,
        ),
        method: junk,
        url: fc.oneof(fc.string({ unit: 'binary' }), fc.webUrl({ withQueryParameters: true }), junk),
        originalUrl: fc.option(junk, { nil: undefined }),
        socket: fc.oneof(
          fc.record({ remoteAddress: fc.oneof(fc.string(), fc.ipV6(), fc.ipV4(), junk) }),
          fc.constantFrom(null, undefined),
        ),
      }),
      sent => {
        const lane = laneOf(sent as RulesRequest)
        return lane === explain(sent as RulesRequest).decision?.lane
      },
    ),
    { numRuns: 800 },
  )
  t.equal(laneOf({ headers: { x: '5' }, url: '/b', method: 'POST' })?.header, 'h', 'and still decides')
})
