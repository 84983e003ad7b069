import { expectPath, formatPath, type LanePath, type PathCall, parsePath, readPath, summaryOfPath } from '@laneway/core'
import { encodePath, MAX_PATH_BYTES } from '@laneway/core/internal'
import fc from 'fast-check'
import t from 'tap'

const name = fc.string({ minLength: 1, maxLength: 60, unit: 'grapheme-ascii' })
const optional = (value: fc.Arbitrary<string>) => fc.option(value, { nil: undefined })
const lane = optional(fc.constantFrom('gray', 'gray-2,gray', 'base'))
const { path: paths } = fc.letrec<{ path: LanePath; call: PathCall }>(tie => ({
  path: fc.record({
    service: name,
    ownLane: lane,
    lane,
    by: optional(fc.constantFrom('header', 'rule tester', 'own')),
    calls: fc.array(tie('call'), { maxLength: 4, depthIdentifier: 'path' }),
    cut: fc.nat(3),
  }),
  call: fc.record({
    target: name,
    lane,
    served: lane,
    outcome: fc.constantFrom('lane', 'base', 'fallback-missing', 'out-of-scope', 'message'),
    address: optional(fc.constant('10.1.0.7:8080')),
    attempt: fc.integer({ min: 1, max: 5 }),
    status: fc.oneof(fc.integer({ min: 100, max: 599 }), fc.constantFrom('open', 'reset', 'grpc 14')),
    at: fc.nat(10_000),
    ms: fc.option(fc.nat(10_000), { nil: undefined }),
    path: fc.option(tie('path'), { nil: undefined, maxDepth: 4, depthIdentifier: 'path' }),
  }),
}))

const big = (calls: number, nested?: LanePath): LanePath => ({
  service: 'sc-A',
  ownLane: undefined,
  lane: 'gray',
  by: 'header',
  cut: 0,
  calls: Array.from({ length: calls }, (_, index) => ({
    target: `service-${index}`,
    lane: 'gray',
    served: undefined,
    outcome: 'fallback-missing',
    address: '10.1.0.7:8080',
    attempt: 1,
    status: 200,
    at: index,
    ms: 1,
    path: nested,
  })),
})
const allCalls = (path: LanePath): number =>
  path.cut + path.calls.reduce((sum, call) => sum + 1 + (call.path === undefined ? 0 : allCalls(call.path)), 0)

t.test('a path is read as it was written', async t => {
  fc.assert(
    fc.property(paths, path => {
      const text = encodePath(path)
      const isWhole = text.length === encodePath(path, false, 1e6).length
      return /^1[ -~]*$/.test(text) && (!isWhole || JSON.stringify(parsePath(text)) === JSON.stringify(path))
    }),
  )
  t.pass()
})

t.test('a path never grows beyond its limit, and says how much is left out', async t => {
  fc.assert(
    fc.property(paths, fc.integer({ min: 400, max: 2000 }), (path, most) => {
      const text = encodePath(path, false, most)
      if (text.length > most) return false
      const read = parsePath(text)
      return read !== undefined && (read.calls.length === path.calls.length || read.cut > 0)
    }),
  )
  const wide = parsePath(encodePath(big(300)))!
  t.ok(encodePath(big(300)).length <= MAX_PATH_BYTES)
  t.equal(wide.calls[0]!.target, 'service-0')
  t.ok(wide.calls.length > 50)
  t.equal(allCalls(wide), 300)
  const deep = parsePath(encodePath(big(20, big(10))))!
  t.equal(deep.calls.length, 20, 'the nearest calls stay')
  t.ok(deep.calls.every(({ path }) => path!.calls.length === 0 && path!.cut === 10))
  t.match(formatPath(deep), /… 10 more calls/)
})

t.test('what is no path is none, and never an error', async t => {
  const cases: Record<string, unknown> = {
    'no text': 7,
    empty: '',
    'another version': '2["a","","","",[]]',
    'no JSON': '1["a"',
    'no list': '1{"service":"a"}',
    'without calls': '1["a","","",""]',
    'a name that is no text': '1[{},"","","",[]]',
    'too long': `1["${'a'.repeat(9000)}","","","",[]]`,
    'two lines of a header': '1["a","","","",[]], 1["a","","","",[]]',
    'deep nesting': `1${'['.repeat(8000)}`,
  }
  for (const [what, value] of Object.entries(cases)) t.equal(parsePath(value), undefined, what)
  fc.assert(fc.property(fc.string({ unit: 'binary' }), text => void parsePath(`1${text}`)))
  fc.assert(
    fc.property(fc.json(), text => {
      const path = parsePath(`1["a","","","",[${text}]]`)
      if (path !== undefined) formatPath(path) + summaryOfPath(path)
    }),
  )
  const endless = (depth: number): unknown => [
    'a',
    '',
    '',
    '',
    depth === 0 ? [] : [['b', '', '', 'lane', '', 1, 200, 0, 0, endless(depth - 1)]],
  ]
  t.equal(parsePath(`1${JSON.stringify(endless(100))}`)?.service, 'a')
})

t.test('a name cannot write to a terminal', async t => {
  const path = parsePath(
    `1${JSON.stringify(['a\u001b[2J', '', '', 'x\u202e\r\n', [[`b\u0000`, '', '', '', '', 1, 'c\u009b', 0, 0, 0]]])}`,
  )!
  t.notMatch(formatPath(path).replaceAll('\n', ''), /\p{Cc}|\p{Cf}/u)
})

t.test('an answer to an outsider has no address of the inside', async t => {
  const hosts = ['10.0.0.7', '[fd00::1]', '::1', 'ip-10-0-0-7.ec2.internal', '10-0-0-7.ns.pod.cluster.local', '0x7f.1']
  const path = { ...big(1, big(1)), calls: hosts.map(target => ({ ...big(1, big(1)).calls[0]!, target })) }
  const text = encodePath(path, true)
  t.notMatch(text, /10[.-]|fd00|::1|0x7f/)
  t.match(text, /service-0/)
  t.match(encodePath(path), /10\.1\.0\.7:8080/)
})

t.test('a summary does not depend on the order of what ran together', async t => {
  const call = (target: string, at: number, ms: number | undefined): PathCall => ({
    ...big(1).calls[0]!,
    target,
    at,
    ms,
  })
  const of = (...calls: PathCall[]) => summaryOfPath({ ...big(0), calls })
  t.equal(of(call('b', 0, 5), call('a', 1, 5)), 'sc-A[base] -> (a[base], b[base])')
  t.equal(of(call('b', 0, 5), call('a', 6, 5)), 'sc-A[base] -> (b[base], a[base])')
  t.equal(of(call('b', 0, undefined), call('a', 600, 5)), 'sc-A[base] -> (a[base], b[base])')
})

t.test('expectPath asserts the way of an answer', async t => {
  const text = encodePath(big(1))
  for (const answer of [
    text,
    { 'x-laneway-path': text },
    new Headers({ 'x-laneway-path': text }),
    { headers: new Headers({ 'x-laneway-path': text }) },
    { headers: { 'x-laneway-path': text } },
    { metadata: new Map([['x-laneway-path', [text]]]) },
  ]) {
    t.equal(expectPath(answer, 'sc-A[base]->service-0[base]').service, 'sc-A')
  }
  t.throws(() => expectPath(text, 'sc-A[gray]'), {
    name: 'AssertionError',
    message: /received sc-A\[base\] -> service-0/,
  })
  t.throws(() => expectPath({ headers: {} }, 'a'), { code: 'ERR_ASSERTION', message: /no x-laneway-path/ })
  t.equal(
    readPath({
      get headers(): object {
        throw new Error('closed')
      },
    }),
    undefined,
  )
})
