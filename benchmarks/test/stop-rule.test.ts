import t from 'tap'
import { changeOf, isCost } from '../src/change.js'
import { seeded } from '../src/statistics.js'
import { type Decision, decide } from '../src/stop-rule.js'

const MOST_PAIRS = 20

/** Pairs of processes, `noise` apart and `effect` slower, until the rule stops or the time is over. */
function run(random: () => number, effect: number, noise: number): { verdict: Decision['verdict']; pairs: number } {
  const ratios: number[] = []
  for (;;) {
    const normal = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())
    ratios.push((1 + effect) * Math.exp(noise * normal))
    const { verdict } = decide(ratios)
    if (verdict !== 'open' || ratios.length === MOST_PAIRS) return { verdict, pairs: ratios.length }
  }
}

function shareOf(verdict: Decision['verdict'], effect: number, noise: number): number {
  const random = seeded(24)
  let count = 0
  for (let time = 0; time < 1000; time++) if (run(random, effect, noise).verdict === verdict) count++
  return count / 1000
}

t.test('few pairs decide nothing, however far they are off', async t => {
  for (const ratios of [[], [2], [2, 2], [2, 2, 2, 2]]) t.equal(decide(ratios).verdict, 'open')
})

t.test('pairs that agree decide at once', async t => {
  t.match(decide([1.1, 1.11, 1.1, 1.09, 1.1]), { verdict: 'slower' })
  t.match(decide([0.9, 0.91, 0.9, 0.89, 0.9]), { verdict: 'faster' })
  t.match(decide([1, 1.001, 1, 0.999, 1]), { verdict: 'no difference' })
})

t.test('pairs that do not agree leave it open, and the bounds say how far', async t => {
  const { verdict, low, high } = decide([0.9, 1.1, 0.95, 1.05, 1])
  t.equal(verdict, 'open')
  t.ok(low < 0.95 && high > 1.05, `${low} to ${high}`)
})

t.test('a bound at 1 is on neither side', async t => {
  t.equal(decide([1, 1, 1, 1, 1]).verdict, 'no difference')
  t.equal(decide([Number.NaN, 1, 1, 1, 1]).verdict, 'open')
})

t.test('a tree that costs the same is called slower or faster in few runs', async t => {
  for (const noise of [0.01, 0.02, 0.05]) {
    const wrong = shareOf('slower', 0, noise) + shareOf('faster', 0, noise)
    t.ok(wrong <= 0.06, `${wrong} at noise ${noise}`)
  }
})

t.test('a tree that costs 3 % more is called slower in nearly all runs', async t => {
  const found = shareOf('slower', 0.03, 0.015)
  t.ok(found >= 0.95, `${found}`)
  t.equal(shareOf('faster', 0.03, 0.015), 0)
})

t.test('a change is one that is larger than its spread', async t => {
  t.equal(changeOf([10, 11, 10], [13, 14, 13.5]), 'more')
  t.equal(changeOf([13, 14, 13.5], [10, 11, 10]), 'less')
  t.equal(changeOf([10, 11, 10], [10.5, 11.5, 10.5]), 'none', 'the rounds overlap')
  t.equal(changeOf([10, 20, 30], [31, 31, 65]), 'none', 'the rounds are far apart')
  t.equal(changeOf([10, 20, 30], [40, 50, 60]), 'more')
  t.equal(changeOf([96, 96, 96], [104, 104, 104]), 'more', 'bytes have no spread')
  t.equal(changeOf([0, 0, 0], [0, 0, 0]), 'none')
  t.equal(changeOf([0, 0, 0], [8, 8, 8]), 'more')
  t.equal(changeOf([1, Number.NaN], [2, 2]), 'none')
})

t.test('only what costs can cost more', async t => {
  for (const figure of ['ns', 'bytes', 'ms added', 'µs added', 'on µs', 'processor µs a call'])
    t.ok(isCost(figure), figure)
  for (const figure of ['pairs', 'calls', 'throughput', 'peak calls/s', 'off µs', 'without ms', 'µs low'])
    t.notOk(isCost(figure), figure)
})
