import { parseLane } from '@laneway/core'
import {
  baggageMember,
  hasLaneMember,
  MAX_BAGGAGE_BYTES,
  MAX_BAGGAGE_MEMBERS,
  parseBaggageLane,
  parseMseLane,
  withLaneMember,
  withoutLaneMembers,
} from '@laneway/core/internal'
import fc from 'fast-check'
import t from 'tap'

const gray = parseLane('gray')!

t.test('a baggage member is found by its key, without properties and white space', async t => {
  const rows = [
    ['x-mse-tag=gray', 'gray'],
    ['a=1,x-mse-tag=gray,b=2', 'gray'],
    ['a=1 , x-mse-tag = gray ;p=1;q , b=2', 'gray'],
    ['x-mse-tag=', ''],
    ['x-mse-tag=a=b', 'a=b'],
    ['x-mse-tag=gray,x-mse-tag=blue', 'blue'],
    ['x-mse-tags=gray,ax-mse-tag=gray', undefined],
    ['X-MSE-TAG=gray', 'gray'],
    ['a=x-mse-tag', undefined],
    ['x-mse-tag;p=1', undefined],
    ['x-mse-tag', undefined],
    ['', undefined],
    [',,,', undefined],
  ] as const
  for (const [baggage, value] of rows) t.equal(baggageMember(baggage, 'x-mse-tag'), value, baggage)
})

t.test('the x-mse-tag member is a lane in percent-encoding', async t => {
  t.equal(parseBaggageLane('gray')?.header, 'gray')
  t.equal(parseBaggageLane('gray-2%2Cgray')?.header, 'gray-2,gray')
  t.equal(parseBaggageLane('gr%61y')?.header, 'gray')
  for (const value of ['', '%', '%zz', '%E0%A4%A', 'gr%00ay', 'gr%20ay', 'gr%C3%A4y', 'a'.repeat(20_000)]) {
    t.equal(parseBaggageLane(value), undefined, value.slice(0, 20))
  }
})

t.test("MSE's member is a JSON list, higher priority first, equal ones in their order", async t => {
  const rows: readonly (readonly [unknown, string | undefined])[] = [
    [[{ name: 'gray', tag: 'gray', priority: -1 }], 'gray'],
    [[{ name: 'gray', priority: -1 }], 'gray'],
    [[{ tag: 'gray' }], 'gray'],
    [
      [
        { tag: 'a', priority: 1 },
        { tag: 'b', priority: 3 },
        { tag: 'c', priority: 2 },
      ],
      'b,c,a',
    ],
    [[{ tag: 'a' }, { tag: 'b', priority: -1 }, { tag: 'c', priority: 0 }], 'a,c,b'],
    [[{ tag: 'a' }, { tag: 'b' }, { tag: 'c' }, { tag: 'd' }], 'a,b,c,d'],
    [[{ tag: 'a' }, { tag: 'b' }, { tag: 'c' }, { tag: 'd' }, { tag: 'e' }], undefined],
    [[{ tag: 'a' }, { tag: '-' }, { tag: 'c' }], undefined],
    [[{ tag: 'a' }, { tag: 7 }], undefined],
    [[{ tag: 'a' }, {}], undefined],
    [[{ tag: 'a' }, null], undefined],
    [[{ tag: 'a', priority: '1' }], undefined],
    [[{ tag: 'a', priority: null }], undefined],
    [[{ tag: 'a,b' }], undefined],
    [['gray'], undefined],
    [[], undefined],
    [{ tag: 'gray' }, undefined],
    ['gray', undefined],
    [null, undefined],
  ]
  for (const [list, lane] of rows) {
    const json = JSON.stringify(list)
    t.equal(parseMseLane(encodeURIComponent(json))?.header, lane, json)
  }
  t.equal(parseMseLane('[{"tag":"gray"}]')?.header, 'gray', 'not encoded')
  t.equal(parseMseLane('[{"__proto__":{"tag":"gray"}}]'), undefined)
  for (const value of ['', 'gray', '%', '[', '[{"tag":"gray"}', ' '.repeat(5000)])
    t.equal(parseMseLane(value), undefined)
})

t.test('foreign baggage passes byte for byte', async t => {
  const rows = [
    ['a=1;p = q , ,b=%20', 'a=1;p = q , ,b=%20'],
    ['a=x-mse-tag', 'a=x-mse-tag'],
    ['%zz=1,b=2', '%zz=1,b=2'],
    ['x-mse-tag=gray', ''],
    ['a=1 ,x-mse-tag=gray; p=1, b=%C3%A4;x', 'a=1 , b=%C3%A4;x'],
    ['x-mse-tag=gray,a=1,x-mse-tag=blue', 'a=1'],
    [' __microservice_tag__ =%5B%5D,a=1', 'a=1'],
    ['x-mse-tag,a=1', 'a=1'],
    ['x-mse-tags=1,ax-mse-tag=2', 'x-mse-tags=1,ax-mse-tag=2'],
  ] as const
  for (const [baggage, left] of rows) {
    t.equal(withoutLaneMembers(baggage), left, baggage)
    t.equal(hasLaneMember(baggage), baggage !== left, baggage)
  }
})

t.test('a key in percent-encoding is ours too, because OpenTelemetry decodes it', async t => {
  for (const key of ['%78-mse-tag', 'x-mse-ta%67', '%5F_microservice_tag__', '%78%2D%6D%73%65%2D%74%61%67']) {
    t.equal(hasLaneMember(`a=1,${key}=gray`), true, key)
    t.equal(withoutLaneMembers(`a=1,${key}=gray,b=2`), 'a=1,b=2', key)
  }
})

t.test('the lane goes in front, where nothing is cut', async t => {
  t.equal(withLaneMember(undefined, gray), 'x-mse-tag=gray')
  t.equal(withLaneMember('', gray), 'x-mse-tag=gray')
  t.equal(withLaneMember(' ', gray), 'x-mse-tag=gray')
  t.equal(withLaneMember('a=1 ,b=2', gray), 'x-mse-tag=gray,a=1 ,b=2')
  t.equal(withLaneMember('a=1,x-mse-tag=blue,b=2', gray), 'x-mse-tag=gray,a=1,b=2')
  t.equal(withLaneMember('a=1', parseLane('b,c')!), 'x-mse-tag=b%2Cc,a=1')
})

t.test("MSE's member is what its agent shows for one tag, and is read as the same lane", async t => {
  const sent = withLaneMember('a=1,x-mse-tag=blue,__microservice_tag__=x', gray, 'mse')
  const [first, ...others] = sent.split(',')
  t.strictSame(others, ['a=1'], 'one carrier in the baggage')
  t.equal(decodeURIComponent(first!), '__microservice_tag__=[{"name":"gray","tag":"gray","priority":-1}]')
  t.match(first, /^[\w.%-]+=[\w.%-]+$/, 'raw JSON is lost in Java')
  const two = decodeURIComponent(withLaneMember(undefined, parseLane('gray-2,gray')!, 'mse'))
  t.match(two, '{"name":"gray-2","tag":"gray-2","priority":-1},{"name":"gray","tag":"gray","priority":-2}')
  const longest = ['a', 'b', 'c', 'd'].map(tag => tag.repeat(63)).join(',')
  for (const header of ['gray', 'base', 'gray-2,gray', 'd,c,b,a', longest]) {
    const written = withLaneMember(undefined, parseLane(header)!, 'mse')
    t.equal(parseMseLane(baggageMember(written, '__microservice_tag__')!)?.header, header, header)
  }
})

t.test('64 members and 8192 bytes pass whole, beyond members go from the end', async t => {
  const members = (count: number) => Array.from({ length: count }, (_, index) => `k${index}=v`)
  t.equal(withLaneMember(members(63).join(','), gray), ['x-mse-tag=gray', ...members(63)].join(','))
  t.equal(withLaneMember(members(64).join(','), gray), ['x-mse-tag=gray', ...members(63)].join(','))
  t.equal(MAX_BAGGAGE_MEMBERS, 64)

  const own = 'x-mse-tag=gray'
  const filler = (bytes: number) => `a=${'v'.repeat(bytes - own.length - ',a=,b=1,c=2'.length)}`
  const full = `${filler(8192)},b=1,c=2`
  t.equal(Buffer.byteLength(`${own},${full}`), MAX_BAGGAGE_BYTES)
  t.equal(withLaneMember(full, gray), `${own},${full}`)
  t.equal(withLaneMember(`${filler(8193)},b=1,c=2`, gray), `${own},${filler(8193)},b=1`)
  t.equal(withLaneMember(`b=1,${filler(9000)},c=2`, gray), `${own},b=1`, 'nothing behind the first that does not fit')
  const wide = `${filler(8192).slice(0, -2)}ä,b=1,c=2`
  t.equal(withLaneMember(wide, gray), `${own},${wide}`, 'bytes are counted, not characters')
  t.equal(withLaneMember(`${filler(8192).slice(0, -1)}ä,b=1,c=2`, gray), `${own},${filler(8192).slice(0, -1)}ä,b=1`)
})

t.test('whatever the baggage, ours is gone, the rest is kept, and the limits hold', async t => {
  const member = fc.oneof(
    fc.constantFrom('x-mse-tag=gray', ' x-mse-tag =a;p', '__microservice_tag__=x', '%78-mse-tag=1', 'a=1', 'b', ''),
    fc.string({ unit: 'binary', maxLength: 20 }).map(text => text.replaceAll(',', '')),
  )
  fc.assert(
    fc.property(fc.array(member, { maxLength: 80 }), list => {
      const baggage = list.join(',')
      const left = withoutLaneMembers(baggage)
      t.equal(hasLaneMember(left), false)
      t.equal(baggageMember(left, 'x-mse-tag'), undefined)
      t.strictSame(
        left.split(',').filter(one => one !== ''),
        list.filter(one => one !== '' && !hasLaneMember(one)),
      )
      const sent = withLaneMember(baggage, gray)
      t.ok(sent.split(',').filter(one => one !== '').length <= 64 && Buffer.byteLength(sent) <= 8192)
      t.equal(parseBaggageLane(baggageMember(sent, 'x-mse-tag') ?? '')?.header, 'gray')
    }),
  )
})
