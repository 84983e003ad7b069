import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { Ajv } from 'ajv'
import t from 'tap'
import {
  compileRules,
  createRulesHolder,
  parseRules,
  type RulesInput,
  type RulesProblem,
  rulesSchema,
} from '../src/index.js'

const lane = { lane: 'gray', from: 0, to: 100, percent: 1 }
const split = { salt: 's', key: ['address'], lanes: [lane] }
const when = (condition: unknown) => ({ version: 1, rules: [{ name: 'r', lane: 'gray', when: condition }] })
const rule = (fields: object) => ({ version: 1, rules: [{ name: 'r', lane: 'gray', ...fields }] })
const splitOf = (fields: object) => ({ version: 1, rules: [{ name: 'r', split: { ...split, ...fields } }] })
const deep = (levels: number): unknown => (levels === 0 ? { path: { exact: '/' } } : { not: deep(levels - 1) })

/** What no document looks like: refused at load, and by the schema too. */
const MISSHAPEN: [string, unknown, string, RegExp][] = [
  ['nothing', undefined, '', /the document is empty/],
  ['null', null, '', /the document is empty/],
  ['a text', 'rules', '', /is an object with version and rules, received "rules"/],
  ['no version', { rules: [] }, 'version', /is 1, received undefined/],
  ['another version', { version: 2, rules: [] }, 'version', /is 1, received 2/],
  ['no rules', { version: 1 }, 'rules', /is a list, received undefined/],
  ['an unknown key', { version: 1, rules: [], rule: [] }, 'rule', /is not allowed, did you mean "rules"\?/],
  ['a rule that is a text', { version: 1, rules: ['r'] }, 'rules[0]', /is an object, received "r"/],
  ['a rule without a name', rule({ name: undefined }), 'rules[0].name', /is a text of 1 to 253/],
  ['an empty name', rule({ name: '' }), 'rules[0].name', /is a text of 1 to 253/],
  ['an unknown key in a rule', rule({ wehn: {} }), 'rules[0].wehn', /did you mean "when"\?/],
  ['a priority that is a text', rule({ priority: '1' }), 'rules[0].priority', /is a whole number, received "1"/],
  ['half a priority', rule({ priority: 0.5 }), 'rules[0].priority', /is a whole number/],
  ['neither lane nor split', { version: 1, rules: [{ name: 'r' }] }, 'rules[0]', /either a lane or a split/],
  ['lane and split', rule({ split }), 'rules[0]', /either a lane or a split/],
  ['a bad lane', rule({ lane: 'g ray' }), 'rules[0].lane', /is no lane: .*received "g ray"/],
  ['a fifth tag', rule({ lane: 'a,b,c,d,e' }), 'rules[0].lane', /is no lane/],
  ['a condition that is a text', when('path'), 'rules[0].when', /is a condition, an object, received "path"/],
  ['a condition with nothing', when({}), 'rules[0].when', /has exactly one of all, any/],
  [
    'two conditions in one',
    when({ path: { exact: '/' }, method: { exact: 'GET' } }),
    'rules[0].when',
    /exactly one of/,
  ],
  ['an unknown condition', when({ pth: {} }), 'rules[0].when.pth', /did you mean "path"\?/],
  ['an empty all', when({ all: [] }), 'rules[0].when.all', /a list of one or more conditions, received \[\]/],
  ['an any that is no list', when({ any: {} }), 'rules[0].when.any', /a list of one or more conditions/],
  ['a bad part', when({ all: [{ path: { exact: '/' } }, 5] }), 'rules[0].when.all[1]', /is a condition/],
  ['no test', when({ header: { name: 'a' } }), 'rules[0].when.header', /has exactly one of exact, prefix/],
  ['two tests', when({ path: { exact: '/', prefix: '/' } }), 'rules[0].when.path', /has exactly one of exact, prefix/],
  ['an unknown test', when({ path: { exakt: '/' } }), 'rules[0].when.path.exakt', /did you mean "exact"\?/],
  ['a number for a text', when({ header: { name: 'a', exact: 5 } }), 'rules[0].when.header.exact', /put it in quotes/],
  ['no name', when({ cookie: { exact: 'a' } }), 'rules[0].when.cookie.name', /is a non-empty text/],
  [
    'a header name with a space',
    when({ header: { name: 'a b', exact: '' } }),
    'rules[0].when.header.name',
    /no header name/,
  ],
  ['a path without slash', when({ path: { exact: 'a' } }), 'rules[0].when.path.exact', /begins with "\/"/],
  ['a path with a query', when({ path: { in: ['/a', '/b?c'] } }), 'rules[0].when.path.in[1]', /has no query/],
  ['a prefix without slash', when({ path: { prefix: 'a' } }), 'rules[0].when.path.prefix', /begins with "\/"/],
  ['a lower-case method', when({ method: { exact: 'get' } }), 'rules[0].when.method.exact', /is upper case/],
  ['a host prefix', when({ host: { prefix: 'a' } }), 'rules[0].when.host.prefix', /is not for hosts/],
  ['an empty list', when({ path: { in: [] } }), 'rules[0].when.path.in', /a list of one or more entries/],
  ['a repeated value', when({ path: { in: ['/a', '/b', '/a'] } }), 'rules[0].when.path.in[2]', /repeats "\/a"/],
  ['an empty range', when({ query: { name: 'a', range: {} } }), 'rules[0].when.query.range', /takes min, max or both/],
  [
    'a bound that is a text',
    when({ query: { name: 'a', range: { min: '1' } } }),
    'rules[0].when.query.range.min',
    /is a number/,
  ],
  [
    'an unknown bound',
    when({ query: { name: 'a', range: { min: 1, mx: 2 } } }),
    'rules[0].when.query.range.mx',
    /did you mean "max"/,
  ],
  [
    'exists with a text',
    when({ query: { name: 'a', exists: 'yes' } }),
    'rules[0].when.query.exists',
    /is true or false/,
  ],
  [
    'a regex of an address',
    when({ address: { regex: '1.*' } }),
    'rules[0].when.address.regex',
    /is not allowed; allowed are exact, in, range, exists/,
  ],
  [
    'a long pattern',
    when({ path: { regex: 'a'.repeat(1025) } }),
    'rules[0].when.path.regex',
    /has 1025 characters, at most 1024/,
  ],
  ['a split that is a text', rule({ lane: undefined, split: 's' }), 'rules[0]', /either a lane or a split/],
  ['an empty salt', splitOf({ salt: '' }), 'rules[0].split.salt', /is a non-empty text/],
  ['a salt with NUL', splitOf({ salt: 'a\0b' }), 'rules[0].split.salt', /without NUL/],
  ['no key', splitOf({ key: [] }), 'rules[0].split.key', /is "random" or a list/],
  ['an unknown key source', splitOf({ key: ['user'] }), 'rules[0].split.key[0]', /is "address" or an object/],
  [
    'two sources in one',
    splitOf({ key: [{ header: 'a', cookie: 'b' }] }),
    'rules[0].split.key[0]',
    /with one of header/,
  ],
  ['a key without name', splitOf({ key: [{ cookie: '' }] }), 'rules[0].split.key[0].cookie', /is a non-empty text/],
  ['a bad header in a key', splitOf({ key: [{ header: 'a:b' }] }), 'rules[0].split.key[0].header', /is no header name/],
  ['no lanes', splitOf({ lanes: [] }), 'rules[0].split.lanes', /a list of one or more lanes/],
  ['a split lane null', splitOf({ lanes: [{ ...lane, lane: null }] }), 'rules[0].split.lanes[0].lane', /is no lane/],
  [
    'a slot below',
    splitOf({ lanes: [{ ...lane, from: -1 }] }),
    'rules[0].split.lanes[0].from',
    /is a slot, 0 to 10000/,
  ],
  ['a slot beyond', splitOf({ lanes: [{ ...lane, to: 10_001 }] }), 'rules[0].split.lanes[0].to', /is a slot/],
  ['half a slot', splitOf({ lanes: [{ ...lane, to: 99.5 }] }), 'rules[0].split.lanes[0].to', /is a slot/],
  ['a share below', splitOf({ lanes: [{ ...lane, percent: -0.01 }] }), 'rules[0].split.lanes[0].percent', /0 to 100/],
  ['a share beyond', splitOf({ lanes: [{ ...lane, percent: 100.01 }] }), 'rules[0].split.lanes[0].percent', /0 to 100/],
]

const two = (...rules: object[]) => ({
  version: 1,
  rules: rules.map((fields, index) => ({ name: `r${index}`, ...fields })),
})
const gray = { lane: 'gray', when: { path: { exact: '/a' } } }
const lanes = (...list: [string, number, number][]) => ({
  ...split,
  lanes: list.map(([name, from, to]) => ({ lane: name, from, to, percent: 0 })),
})

/** What a schema cannot say. */
const INCONSISTENT: [string, unknown, string, RegExp][] = [
  ['a prefix with a query', when({ path: { prefix: '/a?b' } }), 'rules[0].when.path.prefix', /has no query/],
  [
    'a header with white space around it',
    when({ header: { name: 'a', exact: ' x' } }),
    'rules[0].when.header.exact',
    /no white space at its ends/,
  ],
  [
    'a header with a line break',
    when({ header: { name: 'a', in: ['x', 'a\nb'] } }),
    'rules[0].when.header.in[1]',
    /no control characters/,
  ],
  ['a host with a port', when({ host: { exact: 'a.example:80' } }), 'rules[0].when.host.exact', /has no port/],
  ['a host that is a URL', when({ host: { exact: 'http://a' } }), 'rules[0].when.host.exact', /is no host name/],
  ['half a character', when({ query: { name: 'a', exact: '\ud83d' } }), 'rules[0].when.query.exact', /surrogate/],
  ['a cookie name with =', when({ cookie: { name: 'a=b', exact: '' } }), 'rules[0].when.cookie.name', /of a cookie/],
  [
    'a share that is NaN',
    splitOf({ lanes: [{ ...lane, percent: Number.NaN }] }),
    'rules[0].split.lanes[0].percent',
    /0 to 100/,
  ],
  [
    'a bound that is NaN',
    when({ cookie: { name: 'a', range: { max: Number.NaN } } }),
    'rules[0].when.cookie.range.max',
    /a number/,
  ],
  [
    'a range backwards',
    when({ cookie: { name: 'a', range: { min: 2, max: 1 } } }),
    'rules[0].when.cookie.range',
    /ends before/,
  ],
  ['a backtracking pattern', when({ path: { regex: '(a)\\1' } }), 'rules[0].when.path.regex', /is no RE2 expression/],
  [
    'an exploding pattern',
    when({ path: { regex: '((a{100}){100}){100}' } }),
    'rules[0].when.path.regex',
    /invalid repeat/,
  ],
  ['an open group', when({ path: { regex: '(a' } }), 'rules[0].when.path.regex', /missing closing \)/],
  ['too deep', when(deep(17)), `rules[0].when${'.not'.repeat(17)}`, /nested deeper than 16/],
  ['a bad address', when({ address: { exact: '10.0.0.256' } }), 'rules[0].when.address.exact', /is no IP address/],
  ['a block as exact', when({ address: { exact: '10.0.0.0/8' } }), 'rules[0].when.address.exact', /is no IP address/],
  [
    'a bad block',
    when({ address: { in: ['10.0.0.0/8', '10.0.0.0/33', '::/0'] } }),
    'rules[0].when.address.in[1]',
    /is no CIDR/,
  ],
  [
    'a mixed range',
    when({ address: { range: { min: '::1', max: '10.0.0.1' } } }),
    'rules[0].when.address.range',
    /one family/,
  ],
  [
    'an address range backwards',
    when({ address: { range: { min: '10.0.0.9', max: '10.0.0.1' } } }),
    'rules[0].when.address.range',
    /ends before it begins/,
  ],
  [
    'a share in finer steps',
    splitOf({ lanes: [{ ...lane, percent: 0.005 }] }),
    'rules[0].split.lanes[0].percent',
    /has steps of 0\.01/,
  ],
  [
    'a share beyond its range',
    splitOf({ lanes: [{ ...lane, percent: 1.01 }] }),
    'rules[0].split.lanes[0].percent',
    /1\.01 needs 101 slots, the range from 0 to 100 has 100/,
  ],
  [
    'an empty slot range',
    splitOf({ lanes: [{ ...lane, from: 100, percent: 0 }] }),
    'rules[0].split.lanes[0]',
    /ends before it begins/,
  ],
  [
    'two names',
    {
      version: 1,
      rules: [
        { ...gray, name: 'x' },
        { lane: 'b', name: 'y', when: { path: { exact: '/b' } } },
        { lane: 'c', name: 'x' },
      ],
    },
    'rules[2].name',
    /"x" is the name of rules\[0\] too/,
  ],
  [
    'a tie',
    two(
      { ...gray, priority: 1 },
      { lane: 'b', priority: 2, when: { path: { exact: '/b' } } },
      { lane: 'c', priority: 1 },
    ),
    'rules[2].priority',
    /1 is the priority of rule "r0" too/,
  ],
  [
    'a rule without priority among others',
    two({ ...gray, priority: 1 }, { lane: 'c' }),
    'rules[1]',
    /give one to every rule or to none/,
  ],
  [
    'the same condition twice',
    two(gray, { lane: 'b', when: { path: { exact: '/b' } } }, { ...gray, lane: 'c' }),
    'rules[2]',
    /can never match: rule "r0" comes first and has the same condition/,
  ],
  [
    'a rule behind every request',
    two({ lane: 'gray' }, gray),
    'rules[1]',
    /rule "r0" comes first and takes every request/,
  ],
  [
    'the same, by priority',
    two({ ...gray, priority: 2 }, { lane: 'b', priority: 1 }),
    'rules[0]',
    /rule "r1" comes first and takes every/,
  ],
  [
    'overlap in a split',
    two({ split: lanes(['gray', 0, 10], ['blue', 20, 30], ['red', 29, 40]) }),
    'rules[0].split.lanes[2]',
    /slots 29 to 40 overlap those of lane "blue" in rule "r0", 20 to 30/,
  ],
  [
    'a lane twice in a split',
    two({ split: lanes(['gray', 0, 10], ['blue', 20, 30], ['gray', 40, 50]) }),
    'rules[0].split.lanes[2]',
    /repeats lane "gray"/,
  ],
  [
    'overlap of two rules with one salt',
    two({ split: lanes(['gray', 0, 10]), when: gray.when }, { split: lanes(['blue', 9, 20]) }),
    'rules[1].split.lanes[0]',
    /overlap those of lane "gray" in rule "r0"/,
  ],
]

function problemsOf(document: unknown): readonly RulesProblem[] {
  try {
    compileRules(document as RulesInput)
  } catch (error) {
    if ((error as { code?: string }).code === 'LANEWAY_INVALID_RULES') return (error as Error).cause as RulesProblem[]
    throw error
  }
  return []
}

t.test('a document that is wrong is refused, and the message says where and what', async t => {
  for (const [name, document, at, message] of [...MISSHAPEN, ...INCONSISTENT]) {
    const [first, ...rest] = problemsOf(document)
    t.match(first, { at, message }, name)
    t.equal(rest.length, 0, `${name}: one problem`)
  }
})

t.test('documents near those are taken', async t => {
  const good: [string, unknown][] = [
    ['no rules', { version: 1, rules: [] }],
    ['a schema', { $schema: './rules.schema.json', version: 1, rules: [] }],
    ['the deepest condition', when(deep(16))],
    ['the longest pattern', when({ path: { regex: 'a'.repeat(1024) } })],
    ['a share that fits exactly', splitOf({ lanes: [{ ...lane, percent: 1 }] })],
    ['shares that touch', two({ split: lanes(['gray', 0, 10], ['blue', 10, 30], ['red', 30, 10_000]) })],
    [
      'one salt, ranges apart',
      two({ split: lanes(['gray', 0, 10]), when: gray.when }, { split: lanes(['blue', 10, 20]) }),
    ],
    ['one salt, one lane', two({ split: lanes(['gray', 0, 10]), when: gray.when }, { split: lanes(['gray', 5, 20]) })],
    [
      'another salt',
      two({ split: lanes(['gray', 0, 10]), when: gray.when }, { split: { ...lanes(['blue', 0, 10]), salt: 'x' } }),
    ],
    ['the same condition behind a split', two({ split, when: gray.when }, gray)],
    ['a pseudo header', when({ header: { name: ':authority', exact: 'a' } })],
    ['one address', when({ address: { range: { min: '10.0.0.1', max: '10.0.0.1' } } })],
    ['a lane list', rule({ lane: 'gray-2, gray' })],
  ]
  const validate = new Ajv({ allErrors: true, strict: true, strictRequired: false }).compile(rulesSchema)
  for (const [name, document] of good) {
    t.same(problemsOf(document), [], name)
    t.ok(validate(document), `${name}: by the schema too`)
  }
})

t.test('the published schema is the exported one, and refuses what is misshapen', async t => {
  const file: unknown = JSON.parse(readFileSync(resolve('packages/rules/rules.schema.json'), 'utf8'))
  t.same(file, JSON.parse(JSON.stringify(rulesSchema)))
  const validate = new Ajv({ allErrors: true, strict: true, strictRequired: false }).compile(rulesSchema)
  for (const [name, document] of MISSHAPEN) {
    t.notOk(validate(document === undefined ? undefined : JSON.parse(JSON.stringify(document))), name)
  }
})

t.test('all problems of a document are reported at once, with line and column', async t => {
  const text = `version: 1
rules:
  - name: a
    lane: gray
    wehn: {}
  - name: b
    when: { header: { name: x, regex: "(?=a)" } }
    lane: gray
  - name: c
    lane: gray
    when:
      any:
        - path: { exact: / }
        - all:
            - cookie:
                name: uid
                exact: 5
`
  t.throws(() => parseRules(text, { source: 'lanes.yaml' }), {
    code: 'LANEWAY_INVALID_RULES',
    message:
      /lanes\.yaml:5:5: rules\[0\]\.wehn .*\nlanes\.yaml:7:32: rules\[1\].*\nlanes\.yaml:17:17: rules\[2\]\.when\.any\[1\]\.all\[0\]\.cookie\.exact is a text/,
    cause: [
      { line: 5, column: 5 },
      { line: 7, column: 32 },
      { line: 17, column: 17, at: 'rules[2].when.any[1].all[0].cookie.exact' },
    ],
  })
  const many = { version: 1, rules: Array.from({ length: 50 }, () => 5) }
  t.equal(problemsOf(many).length, 20)
})

t.test('text that is no YAML is refused with its place', async t => {
  const cases: [string, string, RegExp][] = [
    ['an open list', 'version: 1\nrules: [a\n', /rules:\d+:\d+: is no YAML/],
    ['a repeated key', 'version: 1\nrules: []\nrules: []\n', /rules:3:1: is no YAML: Map keys must be unique/],
    ['a tab', 'version: 1\nrules:\n\t- a\n', /rules:3:1: is no YAML/],
    ['an unknown tag', 'version: 1\nrules: !!js/function x\n', /rules:2:8: is no YAML: Unresolved tag/],
    ['an alias bomb', bomb(), /rules:1:1: Excessive alias count/],
    [
      'an unknown alias',
      'version: 1\nrules: *a\n',
      /rules:2:8: is no YAML: Unresolved alias|rules:\d+:\d+: .*[Uu]nresolved alias/,
    ],
    ['an empty text', '', /rules: the document is empty; to colour nothing, write/],
    ['only a comment', '# nothing\n', /the document is empty/],
    ['too many bytes', `# ${'x'.repeat(4 * 1024 * 1024)}`, /has \d+ bytes, at most 4194304/],
    ['two documents', 'version: 1\nrules: []\n---\nversion: 1\nrules: []\n', /is no Kubernetes object/],
  ]
  for (const [name, text, message] of cases) {
    t.throws(() => parseRules(text), { code: 'LANEWAY_INVALID_RULES', message }, name)
  }
})

t.test('a byte order mark in front is no part of a document', async t => {
  const json = '{"version":1,"rules":[{"name":"r","lane":"gray"}]}'
  for (const text of [json, 'version: 1\nrules: [{ name: r, lane: gray }]\n', `---\n${json}\n---\n# nothing\n`]) {
    t.equal(parseRules(`\ufeff${text}`).size, 1)
    t.ok(createRulesHolder().replace(`\ufeff${text}`))
  }
  t.throws(() => parseRules('\ufeff{"version":2,"rules":[]}'), { message: /rules:1:2: version is 1, received 2/ })
})

t.test('JSON is read too, tabs and all', async t => {
  const text = JSON.stringify(rule({ when: { path: { prefix: '/a' } } }), undefined, '\t')
  t.equal(parseRules(text).laneOf({ headers: {}, url: '/a/b' })?.header, 'gray')
})

t.test('wrong options are refused', async t => {
  const document = { version: 1 as const, rules: [] }
  for (const options of [
    { sorce: 'x' },
    { random: 1 },
    { clientAddress: 'x' },
    { weightKey: ['user'] },
    { header: 'a b' },
  ]) {
    t.throws(
      () => compileRules(document, options as object),
      { code: 'LANEWAY_INVALID_OPTION' },
      JSON.stringify(options),
    )
  }
  // @ts-expect-error a document has a version
  t.throws(() => compileRules({ rules: [] }), { code: 'LANEWAY_INVALID_RULES' })
})

function bomb(): string {
  const levels = ['a: &a [x, x, x, x, x, x, x, x, x]']
  for (let index = 1; index < 9; index++) {
    const [before, name] = ['abcdefghi'[index - 1], 'abcdefghi'[index]]
    levels.push(`${name}: &${name} [${Array(9).fill(`*${before}`).join(', ')}]`)
  }
  return `${levels.join('\n')}\n`
}

for (const [name, text] of [
  ['flow lists', '['.repeat(20_000)],
  ['flow maps', '{a: '.repeat(20_000)],
  ['closed flow lists', `${'['.repeat(20_000)}${']'.repeat(20_000)}`],
  ['block lists', '- '.repeat(20_000)],
] as const) {
  t.test(`a document of ${name} nested 20,000 deep is refused, and the process lives`, async t => {
    t.throws(() => parseRules(text), { code: 'LANEWAY_INVALID_RULES', message: /nested deeper than 100 levels/ })
  })
}

t.test('a broken document says twenty things, not one for each of its lines', async t => {
  try {
    parseRules('}\n'.repeat(5000))
    t.fail('it was taken')
  } catch (error) {
    t.ok((error as Error).message.split('\n').length <= 20)
  }
})
