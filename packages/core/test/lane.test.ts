import { isTag, kLane, MAX_LANE_BYTES, MAX_LANE_TAGS, parseLane } from '@laneway/core'
import { assertLane } from '@laneway/core/internal'
import fc from 'fast-check'
import t from 'tap'

const slot = (globalThis as Record<symbol, any>)[Symbol.for('laneway.context.v1')]

t.test('a tag is a lane of one', async t => {
  t.strictSame(parseLane('gray'), { header: 'gray', tags: ['gray'] })
})

t.test('a list is a lane, highest priority first', async t => {
  t.strictSame(parseLane('gray-2,gray,blue'), { header: 'gray-2,gray,blue', tags: ['gray-2', 'gray', 'blue'] })
})

t.test('spaces and tabs around members are not part of the lane', async t => {
  for (const value of ['a,b', 'a, b', 'a ,b', '\ta\t,\tb\t', '  a , b  ']) {
    t.strictSame(parseLane(value), { header: 'a,b', tags: ['a', 'b'] })
  }
  t.strictSame(parseLane(' gray '), { header: 'gray', tags: ['gray'] })
  for (const value of ['a\n', 'a,\r\nb', 'a,\u00a0b', 'a,\u2003b']) t.equal(parseLane(value), undefined)
})

t.test('one bad member makes the whole value no lane', async t => {
  for (const bad of ['', '-', 'a b', '__proto__', 'ä', 'a'.repeat(64)]) {
    for (const value of [`${bad},b,c`, `a,${bad},c`, `a,b,${bad}`]) t.equal(parseLane(value), undefined, value)
  }
})

t.test('four tags are a lane, a fifth makes it none', async t => {
  t.equal(MAX_LANE_TAGS, 4)
  t.strictSame(parseLane('a,b,c,d')?.tags, ['a', 'b', 'c', 'd'])
  t.equal(parseLane('a,b,c,d,e'), undefined)
  t.equal(parseLane('a,a,a,a,a'), undefined, 'also when they are the same')
})

t.test('255 bytes are a lane, 256 are none, white space included', async t => {
  t.equal(MAX_LANE_BYTES, 255)
  const list = ['a', 'b', 'c', 'd'].map(letter => letter.repeat(63)).join(',')
  t.equal(list.length, 255)
  t.equal(parseLane(list)?.header, list)
  t.equal(parseLane(`${list} `), undefined)
  t.equal(parseLane(` ${'a'.repeat(63)}`.padStart(255))?.header, 'a'.repeat(63))
  t.equal(parseLane('gray'.padStart(256)), undefined)
})

t.test('a tag that stands twice counts once, in its first place', async t => {
  t.strictSame(parseLane('gray,gray'), { header: 'gray', tags: ['gray'] })
  t.strictSame(parseLane('a,b,a,c'), { header: 'a,b,c', tags: ['a', 'b', 'c'] })
})

t.test('what is not a string is no lane', async t => {
  for (const value of [undefined, null, 7, true, ['gray'], { header: 'gray' }, Symbol('gray'), Object('gray')]) {
    t.equal(parseLane(value), undefined)
  }
})

t.test('names of Object.prototype are ordinary values', async t => {
  t.equal(parseLane('__proto__'), undefined)
  t.strictSame(parseLane('constructor'), { header: 'constructor', tags: ['constructor'] })
  t.strictSame(parseLane('toString,valueOf')?.tags, ['toString', 'valueOf'])
})

t.test('a lane is frozen, and the same object while it is in use', async t => {
  const lane = parseLane('gray,blue')!
  t.ok(Object.isFrozen(lane))
  t.ok(Object.isFrozen(lane.tags))
  t.equal(parseLane('gray,blue'), lane)
})

t.test('tags from the network do not make the process grow', async t => {
  for (let index = 0; index < 200_000; index++) parseLane(`tag-${index}`)
  t.ok(slot.lanes.young.size <= 512)
  t.ok(slot.lanes.old.size <= 512)
})

t.test('a lane in use outlives a flood of other tags', async t => {
  const gray = parseLane('gray')
  for (let index = 0; index < 20_000; index++) {
    parseLane(`flood-${index}`)
    if (index % 100 === 0 && parseLane('gray') !== gray) t.fail('the lane was made anew')
  }
  t.equal(parseLane('gray'), gray)
})

t.test('values that are no lane are not kept', async t => {
  const before = slot.lanes.young.size
  for (let index = 0; index < 100; index++) parseLane(`-${index}`)
  t.equal(slot.lanes.young.size, before)
})

t.test('the lane of an outgoing request travels under a registered symbol', async t => {
  t.equal(kLane, Symbol.for('laneway.lane'))
})

t.test('a lane that the program writes down has to be one', async t => {
  t.equal(assertLane('here', 'gray').header, 'gray')
  t.throws(() => assertLane('here', 'a b'), { code: 'LANEWAY_INVALID_TAG', message: /here: "a b" is not a lane/ })
  t.throws(() => assertLane('here', undefined), { code: 'LANEWAY_INVALID_TAG', message: /undefined/ })
})

t.test('every lane survives its own wire form, and nothing else is a lane', async t => {
  fc.assert(fc.property(fc.anything(), value => parseLane(value) === undefined || typeof value === 'string'))
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 300 }), value => {
      const lane = parseLane(value)
      if (lane === undefined) return
      t.ok(lane.tags.length >= 1 && lane.tags.length <= 4 && lane.tags.every(isTag))
      t.equal(lane.header, lane.tags.join(','))
      t.strictSame(parseLane(lane.header), lane)
    }),
  )
  const tag = fc.stringMatching(/^[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$/)
  fc.assert(
    fc.property(fc.uniqueArray(tag, { minLength: 1, maxLength: 4 }), tags => {
      t.strictSame(parseLane(tags.join(','))?.tags, tags)
    }),
  )
})
