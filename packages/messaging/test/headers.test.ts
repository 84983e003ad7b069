import { parseLane } from '@laneway/core'
import { ownHeader, removeHeader, taggedHeaders, warnOfCompetingLane } from '@laneway/messaging/internal'
import t from 'tap'

const gray = parseLane('gray')

t.test('taggedHeaders writes one value and changes no object of the caller', async t => {
  const own = Object.freeze({ a: 1, 'x-mse-tag': '-' })
  t.strictSame(taggedHeaders(own, 'x-mse-tag', gray), { a: 1, 'x-mse-tag': 'gray' })
  t.strictSame(taggedHeaders(own, 'x-mse-tag', undefined), { a: 1 })
  const untagged = Object.freeze({ a: 1 })
  t.equal(taggedHeaders(untagged, 'x-mse-tag', undefined), untagged, 'untagged headers are not copied')
  t.strictSame(taggedHeaders(undefined, 'x-mse-tag', gray), { 'x-mse-tag': 'gray' })
  t.equal(taggedHeaders(undefined, 'x-mse-tag', undefined), undefined)
})

t.test('headers from the network: inherited values do not count', async t => {
  const headers: any = {}
  // What happens where a client assigns the names of a table as they come, `__proto__` among them.
  Object.setPrototypeOf(headers, { 'x-mse-tag': 'gray' })
  t.equal(headers['x-mse-tag'], 'gray')
  t.equal(ownHeader(headers, 'x-mse-tag'), undefined)
  t.equal(ownHeader(new Map([['x-mse-tag', 'gray']]), 'x-mse-tag'), 'gray')
  for (const one of [undefined, null, 'x', 1]) t.equal(ownHeader(one, 'x-mse-tag'), undefined)
})

t.test('a Map with keys in bytes: each entry of the name counts', async t => {
  const entry = (value: string, key = 'x-mse-tag') => [Buffer.from(key), Buffer.from(value)] as const
  const read = (...entries: (readonly [Buffer, Buffer])[]) => ownHeader(new Map<unknown, unknown>(entries), 'x-mse-tag')
  t.equal(read(), undefined)
  t.equal(read(entry('1', 'a'), entry('2', 'x-mse-tagg')), undefined)
  t.strictSame(read(entry('1', 'a'), entry('gray')), Buffer.from('gray'))
  t.strictSame(read(entry('gray'), entry('blue')), [Buffer.from('gray'), Buffer.from('blue')])
  const map = new Map<unknown, unknown>([entry('gray'), entry('1', 'a'), entry('blue')])
  removeHeader(map, 'x-mse-tag')
  t.equal(map.size, 1)
})

t.test('removeHeader', async t => {
  const headers = { a: 1, 'x-mse-tag': 'gray' }
  removeHeader(headers, 'x-mse-tag')
  t.strictSame(headers, { a: 1 })
  const map = new Map([['x-mse-tag', 'gray']])
  removeHeader(map, 'x-mse-tag')
  t.equal(map.size, 0)
  removeHeader(Object.freeze({ 'x-mse-tag': 'gray' }), 'x-mse-tag')
  removeHeader(undefined, 'x-mse-tag')
})

t.test('a lane instance that consumes without isolation warns once per system; base never does', async t => {
  const warnings: string[] = []
  const warn = (message: string) => warnings.push(message)
  warnOfCompetingLane('one', 'mail', undefined, warn)
  t.equal(warnings.length, 0)
  for (const queue of ['mail', 'orders', 'jobs']) warnOfCompetingLane('one', queue, gray, warn)
  warnOfCompetingLane('two', 'mail', gray, warn)
  t.strictSame(
    warnings.map(text => text.slice(0, 45)),
    ['one: this instance of lane gray consumes "mai', 'two: this instance of lane gray consumes "mai'],
  )
})
