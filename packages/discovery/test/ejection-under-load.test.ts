import t from 'tap'
import {
  type CallerOf,
  laneway,
  type Plan,
  rollingRestart,
  roundRobin,
  type SimulatedInstance,
  SimulatedService,
} from './simulated-service.js'

const plainly = (count: number, coldFactor: number, load: number, forMs: number, plan: Plan, by: CallerOf) =>
  new SimulatedService(count, coldFactor).run(by, load, forMs, plan)

/** From the second second on, something is the matter with some instances. */
const ill = (count: number, how: (instance: SimulatedInstance) => void): Plan => ({
  2000: ({ instances }) => instances.slice(0, count).forEach(how),
})
const freeze = (instance: SimulatedInstance) => {
  instance.frozen = true
}
const breakDown = (instance: SimulatedInstance) => {
  instance.broken = true
}

for (const count of [2, 3, 8]) {
  for (const [load, coldFactor] of [
    [0.8, 5],
    [0.8, 7],
    [0.9, 5],
    [0.9, 7],
  ] as const) {
    t.test(
      `a rolling restart of ${count} at ${load * 100} % load, cold by ${coldFactor}: no worse than round robin`,
      async t => {
        const play = (by: CallerOf) =>
          plainly(count, coldFactor, load, count * 3000 + 8000, rollingRestart(count, 3000), by)
        const plain = play(roundRobin)
        const ours = play(laneway())
        t.ok(ours.errors <= plain.errors, `${ours.errors} errors, ${plain.errors} by round robin`)
        t.ok(
          ours.percentile(0.99) <= plain.percentile(0.99),
          `p99 ${ours.percentile(0.99)}, ${plain.percentile(0.99)} ms`,
        )
        const warm = play(laneway({ slowStartMs: 3000 }))
        t.ok(warm.errors <= plain.errors, `${warm.errors} errors with warm-up`)
      },
    )
  }
}

t.test('endpoints that are alike get requests as evenly as from a round robin, with a load and without', async t => {
  for (const load of [0.3, 0.8, 1.1]) {
    const plain = plainly(8, 1, load, 10_000, {}, roundRobin)
    const ours = plainly(8, 1, load, 10_000, {}, laneway())
    t.equal(ours.errors, plain.errors)
    for (const share of [0.5, 0.99]) t.equal(ours.percentile(share), plain.percentile(share), `${load} ${share}`)
  }
})

t.test('a frozen instance costs a tenth of what it costs a round robin, where the others have room', async t => {
  for (const [count, frozen, load] of [
    [2, 1, 0.4],
    [4, 1, 0.4],
    [8, 1, 0.8],
    [20, 1, 0.8],
  ] as const) {
    const plain = plainly(count, 1, load, 20_000, ill(frozen, freeze), roundRobin)
    const ours = plainly(count, 1, load, 20_000, ill(frozen, freeze), laneway())
    t.ok(ours.errors * 10 <= plain.errors, `${frozen} of ${count}: ${ours.errors}, ${plain.errors} by round robin`)
  }
})

t.test('where the others have no room, ejection that harms them ends', async t => {
  for (const [count, frozen] of [
    [2, 1],
    [3, 1],
    [8, 4],
  ] as const) {
    for (const balancer of ['least-request', 'round-robin', 'weighted-random'] as const) {
      const plain = plainly(count, 1, 0.8, 40_000, ill(frozen, freeze), roundRobin)
      const ours = plainly(count, 1, 0.8, 40_000, ill(frozen, freeze), laneway({ balancer }))
      t.ok(ours.errors <= plain.errors * 1.3, `${balancer}, ${frozen} of ${count}: ${ours.errors}, ${plain.errors}`)
    }
  }
})

t.test('an instance that answers errors at once attracts no more than its turn', async t => {
  for (const load of [0.3, 0.8]) {
    const plain = plainly(8, 1, load, 10_000, ill(1, breakDown), roundRobin)
    const ours = plainly(8, 1, load, 10_000, ill(1, breakDown), laneway())
    t.ok(ours.errors <= plain.errors * 1.02, `${ours.errors}, ${plain.errors} by round robin`)
  }
})

t.test('with more load than there is capacity, ejection makes nothing worse', async t => {
  const plain = plainly(8, 1, 1.2, 30_000, {}, roundRobin)
  const ours = plainly(8, 1, 1.2, 30_000, {}, laneway())
  t.ok(ours.errors <= plain.errors * 1.02, `${ours.errors}, ${plain.errors} by round robin`)
})
