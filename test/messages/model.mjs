// The protocol of logs without a broker: every schedule of small scenarios, and random ones of a large one. What a member
// sees and decides comes from the code of @laneway/messaging.
import fc from 'fast-check'
import { exploreAll, follow } from '../../packages/messaging/test/log/explore.ts'
import { CASES, LARGE } from '../../packages/messaging/test/log/scenarios.ts'

const textOf = ({ problem, schedule }) => `${problem}: ${schedule.join('; ')}`

/**
 * @param report - takes `passed` or `failed`, what was explored, and the counterexample
 * @param most - states of a case; those that have more are said to be cut
 * @param runs - random schedules
 */
export function model(report, { most, runs, seed }) {
  for (const { name, scenario, finds } of CASES) {
    const { states, schedules, finding } = exploreAll(scenario, most)
    const size = `${states} states, ${schedules} schedules${states >= most ? ', cut' : ''}`
    report((finding !== undefined) === finds ? 'passed' : 'failed', `model: ${name}`, finding ? textOf(finding) : size)
  }
  let longest = 0
  const one = fc.array(fc.nat(10_000), { minLength: 60, maxLength: 200 })
  const schedule = fc.property(one, choices => {
    const { states, finding } = follow(LARGE, choices)
    longest = Math.max(longest, states)
    if (finding !== undefined) throw new Error(textOf(finding))
  })
  const { failed, counterexample, errorInstance } = fc.check(schedule, { numRuns: runs, seed })
  const size = `${runs} schedules of up to ${longest} steps, seed ${seed}`
  report(
    failed ? 'failed' : 'passed',
    'model: random schedules',
    failed ? `${errorInstance?.message} ${JSON.stringify(counterexample)}` : size,
  )
}
