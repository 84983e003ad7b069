import t from 'tap'
import { headerValues, plainHeaders, withHeaderInShape } from '../src/sent/headers.js'

const carry = (given: unknown, value: string | undefined) =>
  withHeaderInShape(given, plainHeaders(given), 'x-mse-tag', value)

t.test('an iterator on Object.prototype does not make headers iterable', async t => {
  const everyObject = Object.prototype as { [Symbol.iterator]?: unknown }
  let values: unknown
  // In one step: nothing else runs while every object is changed.
  everyObject[Symbol.iterator] = function* () {}
  try {
    values = headerValues(plainHeaders({ 'x-custom': 'kept' }), 'x-custom')
  } finally {
    delete everyObject[Symbol.iterator]
  }
  t.equal(values, 'kept')
})

t.test('headers that need no change reach interceptors as the caller gave them', async t => {
  for (const given of [
    undefined,
    null,
    { 'x-a': '1' },
    ['x-a', '1'],
    [['x-a', '1']],
    new Map([['x-a', '1']]),
    new Headers({ 'x-a': '1' }),
  ]) {
    t.equal(carry(given, undefined), given)
  }
})

t.test('pairs stay pairs, in nothing that passes for a flat list', async t => {
  const gone = (function* () {
    yield ['x-a', '1']
  })()
  const pairs = [['x-a', '1']]
  for (const [given, value] of [
    [pairs, 'gray'],
    [new Map([['x-a', '1']]), 'gray'],
    [new Headers({ 'x-a': '1' }), 'gray'],
    [gone, undefined],
  ] as const) {
    const carried = carry(given, value) as Iterable<unknown>
    t.notOk(Array.isArray(carried))
    t.strictSame([...carried], value === undefined ? pairs : [...pairs, ['x-mse-tag', value]])
    t.strictSame([...carried].length, value === undefined ? 1 : 2, 'and can be read again')
  }
})
