import { END_LEAD_MS } from '@laneway/messaging/internal'
import {
  append,
  beginOf,
  decisionsOf,
  offsetsOf,
  opening,
  type Scenario,
  type State,
  viewOf,
} from './protocol-state.js'

/**
 * Lets everybody who lives read to the end with a fresh view, before and after the ends of lanes: base, and in the group
 * of each lane its members, or stand-ins unless they have read all.
 *
 * @param lanesLive - whether lanes have members, which announce what is not announced
 */
export function settle(scenario: Scenario, state: State, lanesLive: boolean): void {
  const living = lanesLive ? [...new Set(scenario.lanes)] : []
  for (const lane of living) {
    if (scenario.fault !== 'poll' && viewOf(state, scenario, 0).openEntry(lane) === undefined)
      append(state, { ...opening(lane, state.ledger.length, offsetsOf(state)), at: state.now })
  }
  state.now += scenario.showsAfterMs ?? 0
  const reader = { living, asOf: state.now }
  for (let round = 0; round < 2; round++) {
    const announced = scenario.fault === 'poll' ? living : viewOf(state, scenario, 0).intervals().keys()
    for (const group of ['', ...announced]) {
      if (group !== '' && !living.includes(group) && state.done.includes(group)) continue
      for (const p of state.log.keys()) read(scenario, state, group, p, reader)
    }
    state.now += 3 * END_LEAD_MS
  }
}

function read(
  scenario: Scenario,
  state: State,
  group: string,
  p: number,
  reader: Parameters<typeof decisionsOf>[3],
): void {
  const begin = beginOf(scenario, state, group, p)
  const after = { ...scenario, agesMs: [0] }
  state.log[p] = state.log[p]!.map((message, at) =>
    at >= begin && decisionsOf(after, state, message, reader, group).has('own')
      ? { ...message, sides: [...message.sides, group] }
      : message,
  )
  state.committed[`${group}/${p}`] = state.log[p]!.length
}
