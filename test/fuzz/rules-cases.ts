// Rules: documents that people and config centres write, and the requests that they judge.
import { isTag, LanewayError } from '@laneway/core'
import { type CompiledRules, compileRules, forwardedAddress, parseRules, type RulesRequest } from '@laneway/rules'
import fc from 'fast-check'
import { type FuzzCase, linear, must, property, rows } from './fuzz-case.js'

const DOCUMENT = `version: 1
rules:
  - name: testers
    when:
      any:
        - header: { name: user-agent, prefix: xiaoming }
        - cookie: { name: uid, regex: '^[0-9]+(a|b)*$' }
        - all: [{ path: { prefix: /v2 } }, { query: { name: beta, in: ['1', 'yes'] } }]
        - not: { address: { in: ['10.0.0.0/8', '::1'] } }
    lane: gray
  - name: share
    when: { host: { exact: '*.example.com' } }
    split:
      salt: s1
      key: [{ cookie: uid }, { header: x-user }, address]
      lanes: [{ lane: blue, from: 0, to: 5000, percent: 20 }]
`
const TOKENS = [
  'version',
  'rules',
  'when',
  'lane',
  'split',
  'regex',
  'percent',
  '__proto__',
  'constructor',
  'not',
  '&a',
  '*a',
  '!!js',
  '<<',
  '- ',
  ': ',
  '\n',
  '  ',
  '[',
  '{',
  '}',
  ']',
  '"',
  "'",
  '|',
  '>',
  '---\n',
  '1e999',
  '.nan',
  'null',
  '(a+)+$',
  '\0',
  '\u{1f993}',
]
const edit = fc.record({
  at: fc.nat(DOCUMENT.length),
  cut: fc.nat(20),
  put: fc.oneof(fc.constantFrom(...TOKENS), fc.string({ maxLength: 10 })),
})
const documentText = fc.oneof(
  fc
    .array(edit, { maxLength: 5 })
    .map(edits => edits.reduce((text, { at, cut, put }) => text.slice(0, at) + put + text.slice(at + cut), DOCUMENT)),
  fc.array(fc.constantFrom(...TOKENS, 'gray', '7'), { maxLength: 40 }).map(parts => parts.join('')),
  fc.json(),
  fc.string({ unit: 'binary', maxLength: 200 }),
)

const leaf = fc.oneof(
  fc.constantFrom('gray', '__proto__', '', 1, null, true, '10.0.0.0/8', '/a', '('),
  fc.string(),
  fc.double(),
)
const documentValue = fc.letrec<{ node: unknown; condition: unknown }>(tie => ({
  node: fc.oneof(
    { depthSize: 'small' },
    leaf,
    fc.array(tie('node'), { maxLength: 3 }),
    fc.dictionary(
      fc.constantFrom('exact', 'prefix', 'in', 'range', 'regex', 'exists', 'name', '__proto__', 'min', 'max'),
      tie('node'),
      { maxKeys: 3 },
    ),
  ),
  condition: fc.oneof(
    { depthSize: 'small' },
    tie('node'),
    fc.dictionary(
      fc.constantFrom('all', 'any', 'not', 'path', 'host', 'method', 'header', 'query', 'cookie', 'address'),
      fc.oneof(tie('condition'), fc.array(tie('condition'), { maxLength: 3 })),
      { minKeys: 1, maxKeys: 2 },
    ),
  ),
}))
const rule = fc.record(
  { name: leaf, priority: leaf, when: documentValue.condition, lane: leaf, split: documentValue.node },
  { requiredKeys: ['name'] },
)
const documentObject = fc.oneof(
  fc.record({
    version: fc.constantFrom(1, 2, '1'),
    rules: fc.oneof(fc.array(rule, { maxLength: 4 }), documentValue.node),
  }),
  fc.record({
    apiVersion: leaf,
    kind: fc.constantFrom('HTTPRoute', 'TrafficRouting', 'Rollout'),
    metadata: documentValue.node,
    spec: documentValue.node,
  }),
  fc.anything(),
)

const text = fc.oneof(
  fc.constantFrom(
    'xiaoming',
    '1',
    '10.0.0.1',
    'a.example.com',
    '/v2/x?beta=yes&beta=%zz',
    'uid=7; uid="8"; __proto__=x',
    '%',
    '__proto__',
  ),
  fc.string({ unit: 'binary', maxLength: 60 }),
)
const request: fc.Arbitrary<RulesRequest> = fc.record(
  {
    headers: fc.oneof(
      fc.dictionary(
        fc.constantFrom('user-agent', 'cookie', 'host', 'x-user', 'x-forwarded-for', '__proto__'),
        fc.oneof(text, fc.array(text)),
      ),
      fc.constant(undefined as never),
    ),
    method: text,
    url: text,
    originalUrl: text,
    socket: fc.oneof(fc.constant(null), fc.record({ remoteAddress: text })),
  },
  { requiredKeys: ['headers'] },
)

/** Compiles, or is refused with an error of ours. */
function oursOnly(compile: () => CompiledRules): CompiledRules | undefined {
  try {
    return compile()
  } catch (error) {
    must(error instanceof LanewayError && error.code === 'LANEWAY_INVALID_RULES', `escaped: ${String(error)}`)
    must(error.message.length < 100_000, `a message of ${error.message.length} characters`)
    return undefined
  }
}

function judge(rules: CompiledRules | undefined, one: RulesRequest): void {
  if (rules === undefined) return
  const lane = rules.laneOf(one)
  must(lane === undefined || lane.tags.every(isTag), `no lane: ${lane?.header}`)
  must(rules.explain(one).decision?.lane?.header === lane?.header, 'explain says another lane')
}

const fixed = parseRules(DOCUMENT, { clientAddress: forwardedAddress(1) })
const nested = (open: string, close: string) => (bytes: number) =>
  open.repeat(bytes / open.length) + close.repeat(bytes / open.length)
const bomb = `a0: &a0 [x, x, x]\n${Array.from({ length: 30 }, (_, index) => `a${index + 1}: &a${index + 1} [${`*a${index}, `.repeat(9)}*a${index}]`).join('\n')}\n`

export const rulesCases: readonly FuzzCase[] = [
  property('rules: any text compiles or is refused by us', fc.tuple(documentText, request), ([source, one]) =>
    judge(
      oursOnly(() => parseRules(source)),
      one,
    ),
  ),
  property('rules: any object compiles or is refused by us', fc.tuple(documentObject, request), ([value, one]) =>
    judge(
      oursOnly(() => compileRules(value as never)),
      one,
    ),
  ),
  property('rules: any request has a lane or none', request, one => judge(fixed, one)),
  rows(
    'rules: documents that explode',
    [
      { name: 'aliases of aliases', text: bomb },
      { name: 'brackets', text: '['.repeat(200_000) },
      { name: 'braces', text: '{a: '.repeat(100_000) },
      { name: 'sequences in a block', text: '- '.repeat(100_000) },
      { name: 'JSON brackets', text: '['.repeat(100_000) + ']'.repeat(100_000) },
      {
        name: 'conditions in conditions',
        text: `{"version":1,"rules":[{"name":"a","lane":"gray","when":${'{"not":'.repeat(5000)}{"path":{"exact":"/"}}${'}'.repeat(5000)}}]}`,
      },
      {
        name: 'a regex of repeats',
        text: `{"version":1,"rules":[{"name":"a","lane":"gray","when":{"path":{"regex":"${'('.repeat(10)}a{1,100}${'){1,100}'.repeat(10)}"}}}]}`,
      },
      { name: 'over the limit', text: `# ${'x'.repeat(5 * 1024 * 1024)}` },
    ],
    ({ text }) => must(oursOnly(() => parseRules(text)) === undefined, 'it was taken'),
  ),
  linear(
    'rules: a comment',
    bytes => `# ${'x'.repeat(bytes)}\n${DOCUMENT}`,
    source => oursOnly(() => parseRules(source)),
  ),
  linear('rules: brackets', nested('[', ']'), source => oursOnly(() => parseRules(source))),
  linear(
    'rules: unknown keys',
    bytes => `version: 1\nrules: []\n${Array.from({ length: bytes / 10 }, (_, index) => `k${index}: 1`).join('\n')}`,
    source => oursOnly(() => parseRules(source)),
  ),
  linear(
    'rules: many rules',
    bytes =>
      `version: 1\nrules:\n${Array.from({ length: bytes / 64 }, (_, index) => `  - { name: r${index}, when: { path: { exact: /${index} } }, lane: gray }`).join('\n')}`,
    source => oursOnly(() => parseRules(source)),
  ),
  linear(
    'rules: a request with cookies',
    bytes => ({ headers: { cookie: 'a=b;'.repeat(bytes / 4), host: 'a' }, url: '/' }),
    one => judge(fixed, one),
  ),
  linear(
    'rules: a request with a query',
    bytes => ({ headers: {}, url: `/v2?${'a&'.repeat(bytes / 2)}` }),
    one => judge(fixed, one),
  ),
  linear(
    'rules: a request with forwarded addresses',
    bytes => ({ headers: { 'x-forwarded-for': ','.repeat(bytes), cookie: 'uid'.repeat(bytes / 3) }, url: '/' }),
    one => judge(fixed, one),
  ),
]
