import fc from 'fast-check'
import t from 'tap'
import { AliasTable } from '../src/balancer/alias-table.js'
import { createRandom } from '../src/balancer/random.js'
import type { Choice } from '../src/index.js'
import { addressOf, endpoint, oneService } from './one-service.js'
import { seeded } from './seeded.js'

function shares(pick: () => Choice, times: number): Map<string, number> {
  const counts = new Map<string, number>()
  for (let i = 0; i < times; i++) {
    const address = pick().endpoint!.address
    counts.set(address, (counts.get(address) ?? 0) + 1 / times)
  }
  return counts
}

const weights = fc.array(fc.oneof(fc.integer({ min: 1, max: 1000 }), fc.double({ min: 0.01, max: 50, noNaN: true })), {
  minLength: 1,
  maxLength: 12,
})

for (const balancer of ['weighted-random', 'round-robin', 'least-request'] as const) {
  t.test(`${balancer}: each endpoint of a lane gets traffic in proportion to its weight`, async t => {
    const times = 10_000
    await fc.assert(
      fc.asyncProperty(weights, fc.integer(), async (list, seed) => {
        const endpoints = list.map((weight, index) => ({ host: '10.0.0.1', port: index + 1, weight, tags: ['gray'] }))
        const { pick, resolver } = oneService(t, endpoints, { balancer, random: seeded(seed) })
        const seen = shares(() => pick('gray'), times)
        const sum = list.reduce((total, weight) => total + weight, 0)
        for (const one of endpoints) {
          const share = one.weight / sum
          // Six standard deviations: chance does not break this in a lifetime of runs.
          const tolerance = 6 * Math.sqrt((share * (1 - share)) / times) + 1e-3
          const found = seen.get(addressOf(one)) ?? 0
          if (Math.abs(found - share) > tolerance)
            throw new Error(`weight ${one.weight} of ${list}: ${found}, not ${share}`)
        }
        await resolver.close()
      }),
      { numRuns: 12 },
    )
    t.pass()
  })

  t.test(`${balancer}: weight 0 gets nothing`, async t => {
    const { outcome } = oneService(t, [endpoint({ weight: 0 }), endpoint({ weight: 0.001 }), endpoint({ weight: 0 })], {
      balancer,
    })
    for (let i = 0; i < 100; i++) t.equal(outcome(), 'base at 1')
  })

  t.test(
    `${balancer}: one endpoint of a large weight that was tried does not keep the others from serving`,
    async t => {
      const endpoints = [endpoint({ weight: 1e9 }), endpoint(), endpoint()]
      const { pick } = oneService(t, endpoints, { balancer })
      const seen = shares(() => pick(undefined, [addressOf(endpoints[0]!)]), 200)
      t.strictSame([...seen.keys()].sort(), endpoints.slice(1).map(addressOf).sort())
    },
  )
}

t.test('round-robin: equal weights are served in turn', async t => {
  const endpoints = [endpoint(), endpoint(), endpoint()]
  const { pick } = oneService(t, endpoints, { balancer: 'round-robin' })
  const turns = Array.from({ length: 9 }, () => pick().endpoint!.address)
  t.equal(new Set(turns.slice(0, 3)).size, 3)
  t.strictSame(turns.slice(3, 6), turns.slice(0, 3))
  t.strictSame(turns.slice(6), turns.slice(0, 3))
})

t.test('round-robin: lanes take turns of their own', async t => {
  const endpoints = [endpoint(), endpoint(), endpoint({ tags: ['gray'] }), endpoint({ tags: ['gray'] })]
  const { pick } = oneService(t, endpoints, { balancer: 'round-robin' })
  const base = [pick(), pick('gray'), pick(), pick('gray')].filter(choice => choice.outcome === 'base')
  t.equal(new Set(base).size, 2)
})

t.test('round-robin: unequal weights never drift from their share by more than a few requests', async t => {
  const endpoints = [endpoint({ weight: 5 }), endpoint({ weight: 3 }), endpoint({ weight: 2 })]
  const { pick } = oneService(t, endpoints, { balancer: 'round-robin', random: seeded(1) })
  const counts = endpoints.map(() => 0)
  let drift = 0
  for (let i = 1; i <= 10_000; i++) {
    const { address } = pick().endpoint!
    counts[endpoints.findIndex(one => addressOf(one) === address)]!++
    endpoints.forEach((one, at) => {
      drift = Math.max(drift, Math.abs(counts[at]! - (i * (one.weight ?? 1)) / 10))
    })
  }
  t.ok(drift < 8, `drift is ${drift}`)
})

t.test('round-robin: clients do not all begin at the same endpoint', async t => {
  const endpoints = Array.from({ length: 8 }, () => endpoint())
  const first = new Set<string>()
  for (let seed = 0; seed < 40; seed++) {
    const { pick } = oneService(t, endpoints, { balancer: 'round-robin', random: seeded(seed) })
    first.add(pick().endpoint!.address)
  }
  t.ok(first.size > 4)
})

t.test('least-request: of two endpoints the one with fewer requests in flight per weight', async t => {
  const endpoints = [endpoint({ weight: 1 }), endpoint({ weight: 4 })]
  const { pick, resolver } = oneService(t, endpoints, { balancer: 'least-request' })
  const [small, large] = endpoints.map(one => {
    for (;;) {
      const choice = pick()
      if (choice.endpoint?.address === addressOf(one)) return choice
    }
  }) as [Choice, Choice]
  for (let i = 0; i < 3; i++) resolver.started(large)
  resolver.started(small)
  for (let i = 0; i < 50; i++) t.equal(pick(), large, '3 of 4 is less than 1 of 1')
  resolver.started(large)
  resolver.started(large)
  for (let i = 0; i < 50; i++) t.equal(pick(), small, '5 of 4 is more than 1 of 1')
  resolver.finished(large, 'ok')
  resolver.finished(large, 'aborted')
  for (let i = 0; i < 50; i++) t.equal(pick(), large)
})

t.test('the alias table holds for weights of any finite size', async t => {
  const random = createRandom(seeded(7))
  for (const list of [[1e308, 1e308, 1e308], [5e-324, 5e-324], [1e308, 5e-324, 1e308], [1], [Number.MIN_VALUE, 1]]) {
    const table = new AliasTable(Float64Array.from(list))
    const counts = list.map(() => 0)
    for (let i = 0; i < 3000; i++) counts[table.draw(random)]!++
    const largest = Math.max(...list)
    const sum = list.reduce((total, weight) => total + weight / largest, 0)
    list.forEach((weight, index) => {
      const share = weight / largest / sum
      t.ok(Math.abs(counts[index]! / 3000 - share) < 0.06, `${list} at ${index}: ${counts[index]}`)
    })
  }
})

t.test('a random function outside of [0, 1) does no harm', async t => {
  for (const value of [1, -1, Number.NaN, Number.POSITIVE_INFINITY]) {
    const { outcome } = oneService(t, [endpoint({ weight: 2 }), endpoint({ weight: 1 })], { random: () => value })
    t.match(outcome(), /^base at [01]$/)
  }
})

t.test('the own generator is even', async t => {
  const random = createRandom()
  const buckets = new Array(16).fill(0)
  for (let i = 0; i < 160_000; i++) buckets[random.next() % 16]++
  const chi = buckets.reduce((sum, count) => sum + (count - 10_000) ** 2 / 10_000, 0)
  t.ok(chi < 60, `chi square with 15 degrees of freedom is ${chi}`)
})
