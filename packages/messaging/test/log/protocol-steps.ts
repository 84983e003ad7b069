import { type LaneLedgerView, ledgerValue } from '@laneway/messaging/internal'
import {
  ableOf,
  append,
  beginOf,
  decisionsOf,
  type Fault,
  type Member,
  member,
  offsetsOf,
  opening,
  placeOf,
  type Scenario,
  type State,
  viewOf,
} from './protocol-state.js'

/** A possible step: its name for the counterexample, and what it does to a copy of the state. */
export type Step = readonly [name: string, take: (state: State) => void]

/** The steps that are possible. Members are named by number, those of base first. */
export function steps(scenario: Scenario, state: State): Step[] {
  const found: Step[] = []
  if (state.now < scenario.untilMs) for (const ms of scenario.ticksMs) found.push([`${ms} ms pass`, s => (s.now += ms)])
  if (state.messages > 0) {
    for (const tags of scenario.tags) {
      for (const skew of tags === '' ? [0] : scenario.skewsMs)
        for (const p of state.log.keys()) found.push(produce(tags, skew, p))
    }
  }
  if (state.partitions > 0) found.push(['a partition is added', addPartition(scenario)])
  const keys = state.ledger.map(({ key }) => key)
  if (new Set(keys).size < keys.length && state.compacted < keys.length)
    found.push(['the ledger is compacted', s => (s.compacted = s.ledger.length)])
  const announced = new Set(keys.map(key => key.split('/')[1]!))
  if (state.ends > 0) for (const lane of announced) found.push(end(lane))
  for (const [n, one] of state.members.entries()) stepsOf(scenario, state, one, n, found)
  for (const group of ['', ...announced]) {
    const able = ableOf(state, group)
    if (able.length < 2) continue
    for (const p of state.log.keys()) {
      for (const n of able) {
        const place = `${group}/${p}`
        if (state.owners[place] !== n) found.push([`${n} gets ${place}`, s => assign(s, scenario, place, n)])
      }
    }
  }
  return found
}

const produce = (tags: string, skew: number, p: number): Step => [
  `message [${tags}] to ${p}, clock ${skew} ms`,
  s => {
    s.messages--
    s.log[p] = [...s.log[p]!, { tags, ts: s.now + skew, sides: [] }]
  },
]

const addPartition = (scenario: Scenario) => (s: State) => {
  s.partitions--
  s.log.push([])
  for (const group of new Set(s.members.flatMap(({ groups }) => groups))) rebalance(s, scenario, group)
}

const end = (lane: string): Step => [
  `end of ${lane}`,
  s => {
    s.ends--
    append(s, { key: `g/${lane}/${s.ledger.length}`, value: ledgerValue({ end: true }), at: s.now })
  },
]

/** Gives a member a partition. */
function assign(state: State, scenario: Scenario, place: string, n: number): void {
  const [group, p] = placeOf(place)
  state.owners[place] = n
  const begin = beginOf(scenario, state, group, p)
  state.members[n]!.at[place] = begin
  if (scenario.fault === 'poll' && group !== '') state.committed[place] ??= begin
}

/** After somebody came or went: each partition has an owner that may have it, if there is one. */
function rebalance(state: State, scenario: Scenario, group: string): void {
  const able = ableOf(state, group)
  for (const p of state.log.keys()) {
    const place = `${group}/${p}`
    if (able.includes(state.owners[place] ?? -1)) continue
    delete state.owners[place]
    if (able.length > 0) assign(state, scenario, place, able[p % able.length]!)
  }
}

type Add = (name: string, take: (state: State, member: Member) => void) => void

function stepsOf(scenario: Scenario, state: State, one: Member, n: number, found: Step[]): void {
  const add: Add = (name, take) => found.push([`${n} ${name}`, s => take(s, s.members[n]!)])
  if (!one.up) {
    add('starts', start(scenario))
    return
  }
  if (state.crashes > 0) {
    add('crashes', (s, { lane, groups }) => {
      s.crashes--
      s.members[n] = member(lane)
      for (const group of groups) rebalance(s, scenario, group)
    })
  }
  if (scenario.fault === 'poll') add('polls who lives', poll)
  if (one.lane === '') standIns(scenario, state, one, add)
  else if (!one.groups.includes(one.lane)) laneStart(scenario, state, one, add)
  for (const [place, at] of Object.entries(one.at)) {
    const [group, p] = placeOf(place)
    const message = state.log[p]![at]
    const owns = state.owners[place] === n
    if (owns && at > (state.committed[place] ?? 0)) add(`commits ${place} ${at}`, s => (s.committed[place] = at))
    if (message === undefined) continue
    for (const [decision, ageMs] of decisionsOf(scenario, state, message, one, group)) {
      add(`${decision === 'own' ? 'handles' : 'skips'} ${place} ${at}, view of ${ageMs} ms`, (s, taker) => {
        taker.asOf = s.now - ageMs
        if (decision === 'own') s.log[p] = s.log[p]!.with(at, { ...message, sides: [...message.sides, group] })
        if (owns) taker.at[place] = at + 1
        else delete taker.at[place]
      })
    }
  }
}

const start = (scenario: Scenario) => (s: State, one: Member) => {
  one.up = true
  if (one.lane === '') join(s, scenario, one, '')
}

function poll({ members }: State, one: Member): void {
  one.living = members.flatMap(({ lane, groups }) => (lane !== '' && groups.includes(lane) ? [lane] : []))
}

function join(state: State, scenario: Scenario, one: Member, group: string): void {
  one.groups = [...one.groups, group]
  // Members of base read the ledger before anything, those of a lane and stand-ins have seen the announcement.
  one.asOf = state.now
  rebalance(state, scenario, group)
}

/** A member of a lane: takes the offsets of base, announces, and joins its group once it sees the announcement. */
function laneStart(scenario: Scenario, state: State, { lane, announcing }: Member, add: Add): void {
  const { fault, agesMs } = scenario
  // Some view that may decide shows the announcement, or shows none.
  const knows = agesMs.some(ageMs => viewOf(state, scenario, ageMs).openEntry(lane) !== undefined)
  const misses = agesMs.some(ageMs => viewOf(state, scenario, ageMs).openEntry(lane) === undefined)
  if (fault === 'poll' || ((announcing?.written ?? true) && knows)) {
    add(`joins ${lane}`, (s, one) => join(s, scenario, one, lane))
  }
  if (fault === 'poll') return
  if (announcing === null) {
    if (misses) add('takes the offsets of base', takeOffsets)
  } else if (fault === 'copied-offsets' && !announcing.set) {
    add(`sets the offsets of ${lane}`, setOffsets)
  } else if (!announcing.written) {
    add(`announces ${lane}`, (s, one) => announce(s, one, fault))
  }
}

function takeOffsets(s: State, one: Member): void {
  one.announcing = { start: offsetsOf(s), at: s.now, set: false, written: false }
}

function setOffsets(s: State, one: Member): void {
  one.announcing = { ...one.announcing!, set: true }
  // Kafka refuses it while the group has members.
  if (ableOf(s, one.lane).length > 0) return
  for (const [p, offset] of Object.entries(offsetsOf(s))) s.committed[`${one.lane}/${p}`] = Number(offset)
}

function announce(s: State, one: Member, fault: Fault | undefined): void {
  const { lane } = one
  const announcing = one.announcing!
  const at = fault === 'writer-clock' ? announcing.at : s.now
  const record = { ...opening(lane, s.ledger.length, announcing.start), at }
  append(s, record)
  // The client did not hear that the broker has it.
  if (fault === 'write-again') append(s, { ...record, at: at + 3000 })
  s.done = s.done.filter(other => other !== lane)
  one.announcing = { ...announcing, written: true }
}

/** What a member of base may do for the lanes: stand in, and leave. */
function standIns(scenario: Scenario, state: State, { groups }: Member, add: Add): void {
  if (scenario.fault === 'poll') return
  const view = viewOf(state, scenario, 0)
  for (const lane of view.intervals().keys()) {
    const leave = (s: State, one: Member) => {
      one.groups = one.groups.filter(other => other !== lane)
      for (const place of Object.keys(one.at)) if (placeOf(place)[0] === lane) delete one.at[place]
      rebalance(s, scenario, lane)
    }
    if (!groups.includes(lane)) {
      if (!state.done.includes(lane)) add(`stands in for ${lane}`, (s, one) => join(s, scenario, one, lane))
    } else if (state.members.some(one => one.lane === lane && one.groups.includes(lane))) {
      add(`leaves ${lane} to it`, leave)
    } else if (isRead(state, view, lane)) {
      add(`has read all of ${lane}`, (s, one) => {
        s.done = [...s.done, lane]
        leave(s, one)
      })
    }
  }
}

/** Whether the group of a lane that ended has read all that it has to. */
function isRead(state: State, view: LaneLedgerView, lane: string): boolean {
  const until = view.readersUntilMs(lane)
  if (until === undefined || state.now < until) return false
  return state.log.every((log, p) => (state.committed[`${lane}/${p}`] ?? 0) >= log.length)
}
