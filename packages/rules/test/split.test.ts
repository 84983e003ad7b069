import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import fc from 'fast-check'
import t from 'tap'
import { compileRules, type RulesRequest, SLOTS, type Split, slotOf } from '../src/index.js'

const KEY: Split['key'] = [{ header: 'X-User' }, { cookie: 'uid' }, { query: 'u' }, 'address']

function rulesOf(percents: Record<string, number>, salt = 'checkout') {
  const ranges: Record<string, [number, number]> = { gray: [0, 4000], blue: [4000, 7000], green: [7000, 10_000] }
  const lanes = Object.entries(percents).map(([lane, percent]) => {
    const [from, to] = ranges[lane]!
    return { lane, from, to, percent }
  })
  return compileRules({ version: 1, rules: [{ name: 'split', split: { salt, key: KEY, lanes } }] })
}

const user = (id: string): RulesRequest => ({ headers: { 'x-user': id } })

t.test('the slot of a key is the published one', async t => {
  const file = resolve('packages/rules/slot-vectors.json')
  const vectors: { salt: string; key: string; slot: number }[] = JSON.parse(readFileSync(file, 'utf8'))
  t.ok(vectors.length > 10)
  for (const { salt, key, slot } of vectors) {
    t.equal(slotOf(salt, key), slot, `${salt} ${key}`)
    const digest = createHash('sha256').update(salt).update(Buffer.of(0)).update(key).digest('hex')
    t.equal(Number(BigInt(`0x${digest.slice(0, 12)}`) % 10_000n), slot)
  }
})

const USERS = 100_000

t.test('three lanes get their shares, and no user leaves a lane when one of them grows', async t => {
  const ids = Array.from({ length: USERS }, (_, index) => `user-${index}`)
  const laneOfAll = (percents: Record<string, number>): (string | undefined)[] => {
    const { laneOf } = rulesOf(percents)
    return ids.map(id => laneOf(user(id))?.header)
  }
  const percents: Record<string, number> = { gray: 5, blue: 12.5, green: 0.75 }
  let before = laneOfAll(percents)
  const steps: [string, number][] = [
    ['gray', 10],
    ['green', 30],
    ['blue', 30],
    ['gray', 40],
  ]
  for (const [lane, percent] of [['gray', 5], ...steps] as [string, number][]) {
    percents[lane] = percent
    const after = laneOfAll(percents)
    for (const [name, wanted] of Object.entries(percents)) {
      const share = (100 * after.filter(found => found === name).length) / ids.length
      t.ok(Math.abs(share - wanted) < 0.5, `${name}: ${share.toFixed(2)} % of ${wanted} %`)
    }
    const left = before.filter((was, index) => was !== undefined && after[index] !== was)
    t.equal(left.length, 0, `${lane} at ${percent}: nobody left`)
    before = after
  }
  t.notOk(before.includes(undefined), 'at 100 % everybody is in a lane')
})

t.test('raising any share adds and never removes, whatever the shares', async () => {
  const percent = fc.integer({ min: 0, max: 3000 }).map(slots => slots / 100)
  fc.assert(
    fc.property(
      percent,
      percent,
      percent,
      fc.constantFrom('gray', 'blue', 'green'),
      percent,
      fc.string(),
      (a, b, c, lane, more, id) => {
        const low = { gray: a, blue: b, green: c }
        const high = { ...low, [lane]: Math.max(low[lane], more) }
        const before = rulesOf(low).laneOf(user(id))
        const after = rulesOf(high).laneOf(user(id))
        return before === undefined ? after === undefined || after.header === lane : after === before
      },
    ),
  )
})

t.test('a share fills its range from its start, to the slot', async t => {
  const { laneOf } = rulesOf({ gray: 0.01, blue: 0.02, green: 30 })
  for (let index = 0; index < 5000; index++) {
    const slot = slotOf('checkout', `u${index}`)
    const wanted = slot === 0 ? 'gray' : slot === 4000 || slot === 4001 ? 'blue' : slot >= 7000 ? 'green' : undefined
    if (laneOf(user(`u${index}`))?.header !== wanted) t.fail(`slot ${slot}`)
  }
  const key = ['x', 'y', 'z'].find(id => slotOf('edge', id) < SLOTS)!
  const slot = slotOf('edge', key)
  const at = (from: number, to: number) =>
    compileRules({
      version: 1,
      rules: [
        {
          name: 'r',
          split: {
            salt: 'edge',
            key: [{ header: 'x-user' }],
            lanes: [{ lane: 'gray', from, to, percent: (to - from) / 100 }],
          },
        },
      ],
    }).laneOf(user(key))?.header
  t.equal(at(slot, slot + 1), 'gray', 'the first slot is in')
  t.equal(at(slot - 1, slot), undefined, 'the end is out')
  t.equal(at(slot + 1, slot + 2), undefined)
})

t.test('the first key present decides, and without any the caller stays base', async t => {
  const { laneOf, explain } = rulesOf({ gray: 40, blue: 30, green: 30 })
  const slotBy = (request: RulesRequest) => {
    const { key, slot } = explain(request).rules[0]!
    return { key, slot }
  }
  const all = { headers: { 'x-user': 'a', cookie: 'uid=b' }, url: '/?u=c', socket: { remoteAddress: '10.0.0.1' } }
  t.same(slotBy(all), { key: 'header x-user', slot: slotOf('checkout', 'a') })
  t.same(slotBy({ ...all, headers: { 'x-user': '', cookie: 'uid=b' } }), {
    key: 'cookie uid',
    slot: slotOf('checkout', 'b'),
  })
  t.same(slotBy({ ...all, headers: {} }), { key: 'query u', slot: slotOf('checkout', 'c') })
  t.same(slotBy({ ...all, headers: {}, url: '/' }), { key: 'address', slot: slotOf('checkout', '10.0.0.1') })
  const mapped = { headers: {}, socket: { remoteAddress: '::ffff:10.0.0.1' } }
  t.same(slotBy(mapped), { key: 'address', slot: slotOf('checkout', '10.0.0.1') }, 'dual-stack or not')
  t.equal(laneOf({ headers: {} }), undefined)
  t.equal(laneOf({ headers: {}, socket: null }), undefined)
})

t.test('another salt draws anew', async t => {
  const one = rulesOf({ gray: 40 }, 'one')
  const two = rulesOf({ gray: 40 }, 'two')
  let both = 0
  for (let index = 0; index < 5000; index++) {
    if (one.laneOf(user(`${index}`)) !== undefined && two.laneOf(user(`${index}`)) !== undefined) both++
  }
  t.ok(both > 0.12 * 5000 && both < 0.2 * 5000, `${both} of 5000 in both, 800 expected of independent draws`)
})

t.test('a request in no lane of a split goes on to the next rule', async t => {
  const { decide } = compileRules({
    version: 1,
    rules: [
      {
        name: 'some',
        split: { salt: 's', key: [{ header: 'x-user' }], lanes: [{ lane: 'gray', from: 0, to: 5000, percent: 50 }] },
      },
      { name: 'tester', when: { header: { name: 'x-test', exact: '1' } }, lane: 'blue' },
    ],
  })
  const outside = ['a', 'b', 'c', 'd', 'e', 'f', 'g'].find(id => slotOf('s', id) >= 5000)!
  t.equal(decide({ headers: { 'x-user': outside, 'x-test': '1' } })?.rule, 'tester')
  t.equal(decide({ headers: { 'x-test': '1' } })?.rule, 'tester', 'no key')
})

t.test('a random key is drawn once for each request', async t => {
  const draws = [0, 0.5, 0.4999, 0.9999]
  const left = [...draws]
  const { laneOf } = compileRules(
    {
      version: 1,
      rules: [
        {
          name: 'r',
          when: { any: [{ header: { name: 'a', exact: '1' } }, { header: { name: 'b', exact: '1' } }] },
          split: { salt: 's', key: 'random', lanes: [{ lane: 'gray', from: 0, to: 10_000, percent: 50 }] },
        },
      ],
    },
    { random: () => left.shift() ?? Number.NaN },
  )
  const request = { headers: { a: '1', b: '1' } }
  t.same(
    draws.map(() => laneOf(request)?.header),
    ['gray', undefined, 'gray', undefined],
  )
  t.equal(left.length, 0)
})
