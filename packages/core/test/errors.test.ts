import { LANEWAY_ERRORS, LanewayError } from '@laneway/core'
import { assertKnownKeys, assertOneOf, describe } from '@laneway/core/internal'
import fc from 'fast-check'
import t from 'tap'

t.test('an error has a code, says it, and keeps its cause', async t => {
  const cause = new Error('why')
  const error = new LanewayError('LANEWAY_SOURCE', 'services.json is not JSON', { cause })
  t.ok(error instanceof Error)
  t.equal(error.name, 'LanewayError')
  t.equal(error.code, 'LANEWAY_SOURCE')
  t.equal(error.message, 'LANEWAY_SOURCE: services.json is not JSON')
  t.equal(error.cause, cause)
  t.notOk('cause' in new LanewayError('LANEWAY_SOURCE', 'without'))
})

t.test('all codes stand in one table, in order, each with a sentence', async t => {
  const codes = Object.keys(LANEWAY_ERRORS)
  t.strictSame(codes, [...codes].sort())
  for (const [code, sentence] of Object.entries(LANEWAY_ERRORS)) {
    t.match(code, /^LANEWAY_[A-Z]+(_[A-Z]+)*$/)
    t.match(sentence, /^[A-Z].*\.$/, code)
  }
})

t.test('an unknown option is refused with the nearest known one', async t => {
  const keys = ['header', 'trust', 'ownLane']
  assertKnownKeys('expressLane', {}, keys)
  assertKnownKeys('expressLane', { trust: 1, header: undefined }, keys)
  const rows = [
    [{ Header: 1 }, /expressLane has no option "Header", did you mean "header"\?/],
    [{ own_lane: 1 }, /did you mean "ownLane"\?/],
    [{ somethingElse: 1 }, /"somethingElse"; it has header, trust, ownLane/],
    [JSON.parse('{"__proto__": 1}'), /"__proto__"/],
    [undefined, /takes an options object, received undefined/],
    [null, /received null/],
    [[], /received \[\]/],
    ['gray', /received "gray"/],
  ] as const
  for (const [input, message] of rows) {
    t.throws(() => assertKnownKeys('expressLane', input as never, keys), { code: 'LANEWAY_INVALID_OPTION', message })
  }
})

t.test('a value outside a closed list is refused with the nearest one', async t => {
  assertOneOf('here', 'a', ['a', 'b'])
  t.throws(() => assertOneOf('here', 'colors', ['ignore', 'colour']), {
    code: 'LANEWAY_INVALID_OPTION',
    message: /here is one of "ignore", "colour", received "colors", did you mean "colour"\?/,
  })
  t.throws(() => assertOneOf('here', 7, ['a']), { message: /received 7$/ })
})

t.test('a received value is shown short, on one line, and whatever it is', async t => {
  t.equal(describe('a\nb'), '"a\\nb"')
  t.equal(describe(undefined), 'undefined')
  t.equal(describe({ a: 1 }), '{"a":1}')
  t.equal(describe('a'.repeat(1000)).length, 80)
  const circular: Record<string, unknown> = {}
  circular['self'] = circular
  t.equal(describe(circular), '[object Object]')
  t.equal(describe({ toJSON: () => undefined }), '[object Object]')
  t.equal(describe(Symbol('a\nb')), 'Symbol(a b)')
  t.match(
    describe(() => {
      throw new Error('never called')
    }),
    /^\(\) ?=> ?\{ ?throw/,
  )
  fc.assert(
    fc.property(fc.anything({ withBigInt: true, withNullPrototype: true, withSparseArray: true }), value => {
      const text = describe(value)
      return typeof text === 'string' && text.length <= 80 && !text.includes('\n')
    }),
  )
})
