// Explores the schedules of the protocol: all of a small scenario, or as many random ones as wanted of a large one.
import { MAX_VIEW_AGE_MS } from '@laneway/messaging/internal'
import { beginning, copyOf, type Scenario, type State } from './protocol-state.js'
import { type Step, steps } from './protocol-steps.js'
import { settle } from './settle.js'

export interface Finding {
  readonly problem: 'lost' | 'handled by two sides'
  /** The steps to it; the last ones let everybody who lives read to the end. */
  readonly schedule: readonly string[]
}

export interface Explored {
  readonly schedules: number
  readonly states: number
  readonly finding: Finding | undefined
}

/** The same for two states that differ only in the order of names, or in how old a view is that is too old. */
function nameOf({ committed, owners, members, now, ...more }: State): string {
  const sorted = (record: object) => Object.entries(record).sort()
  return JSON.stringify([
    now,
    more,
    sorted(committed),
    sorted(owners),
    members.map(({ at, asOf, ...one }) => [one, Math.min(now - asOf, MAX_VIEW_AGE_MS), sorted(at)]),
  ])
}

/** 53 bits of a text: two states in a million share one by a chance of 1 to 10,000. */
function hash(text: string): number {
  let [low, high] = [0xdeadbeef, 0x41c6ce57]
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    low = Math.imul(low ^ code, 2654435761)
    high = Math.imul(high ^ code, 1597334677)
  }
  low = Math.imul(low ^ (low >>> 16), 2246822507) ^ Math.imul(high ^ (high >>> 13), 3266489909)
  high = Math.imul(high ^ (high >>> 16), 2246822507) ^ Math.imul(low ^ (low >>> 13), 3266489909)
  return 4294967296 * (2097151 & high) + (low >>> 0)
}

/** What is wrong with a state, now or once everybody who lives has read to the end. */
function problemOf(scenario: Scenario, state: State, ends: boolean): Finding['problem'] | undefined {
  const messages = state.log.flat()
  if (messages.some(({ sides }) => new Set(sides).size > 1)) return 'handled by two sides'
  if (!ends) return undefined
  for (const lanesLive of [false, true]) {
    const later = copyOf(state)
    settle(scenario, later, lanesLive)
    if (later.log.flat().some(({ sides }) => sides.length === 0)) return 'lost'
    if (later.log.flat().some(({ sides }) => new Set(sides).size > 1)) return 'handled by two sides'
  }
  return undefined
}

/** Every schedule of a scenario, each state once. Stops at the first finding, and at `most` states. */
export function exploreAll(scenario: Scenario, most = Number.POSITIVE_INFINITY): Explored {
  const known = new Set<number>()
  let schedules = 0
  const path: string[] = []
  const stack: { state: State; todo: Step[] }[] = []
  const enter = (state: State): Finding | undefined => {
    const name = hash(nameOf(state))
    if (known.has(name)) {
      path.pop()
      return undefined
    }
    known.add(name)
    const ends = state.now >= scenario.untilMs
    const problem = problemOf(scenario, state, ends)
    if (problem !== undefined) return { problem, schedule: [...path] }
    if (ends) schedules++
    stack.push({ state, todo: ends ? [] : steps(scenario, state) })
    return undefined
  }
  let finding = enter(beginning(scenario))
  while (stack.length > 0 && finding === undefined && known.size < most) {
    const top = stack.at(-1)!
    const step = top.todo.pop()
    if (step === undefined) {
      stack.pop()
      path.pop()
      continue
    }
    const state = copyOf(top.state)
    step[1](state)
    path.push(step[0])
    finding = enter(state)
  }
  return { schedules, states: known.size, finding }
}

/** One schedule: each number chooses among the steps that are possible then. */
export function follow(scenario: Scenario, choices: readonly number[]): Explored {
  const state = beginning(scenario)
  const schedule: string[] = []
  let problem: Finding['problem'] | undefined
  for (const choice of choices) {
    const possible = steps(scenario, state)
    if (possible.length === 0) break
    const [name, take] = possible[choice % possible.length]!
    take(state)
    schedule.push(name)
    problem = problemOf(scenario, state, false)
    if (problem !== undefined) break
  }
  problem ??= problemOf(scenario, state, true)
  return { schedules: 1, states: schedule.length, finding: problem && { problem, schedule } }
}

/** One schedule by the names of its steps; those that are not possible are left out. */
export function walk(scenario: Scenario, names: readonly string[]): Finding['problem'] | undefined {
  const state = beginning(scenario)
  for (const name of names) steps(scenario, state).find(([possible]) => possible === name)?.[1](state)
  return problemOf(scenario, state, true)
}
