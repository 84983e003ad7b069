// The protocol of a log as a state. What a member sees and decides comes from the real ledger view and the real
// `decideOwner`; the broker, its groups and the clocks are modelled.
import { decideOwner, END_LEAD_MS, LaneLedgerView, ledgerValue, type StartOffsets } from '@laneway/messaging/internal'

/** Faults that a control builds in. */
export type Fault = 'poll' | 'copied-offsets' | 'stale-view' | 'short-end' | 'writer-clock' | 'write-again'

/** What may happen, and how often. */
export interface Scenario {
  /** How many members base has. */
  readonly base: number
  /** The lane of each member of a lane. */
  readonly lanes: readonly string[]
  /** Lists of tags that messages have; `''` for none. */
  readonly tags: readonly string[]
  /** How far clocks of producers are ahead of the broker's, in milliseconds. Negative: behind, or sent late. */
  readonly skewsMs: readonly number[]
  readonly ticksMs: readonly number[]
  /** How old the view of a member may be that decides. Each decision may be made with each of them. */
  readonly agesMs: readonly number[]
  /** How long the broker takes to show what it stored. */
  readonly showsAfterMs?: number
  readonly messages: number
  readonly crashes: number
  readonly ends: number
  readonly partitions: readonly [first: number, added: number]
  /** Lanes that announced long ago. */
  readonly announced?: readonly string[]
  readonly untilMs: number
  readonly fault?: Fault
}

export interface LogMessage {
  readonly tags: string
  readonly ts: number
  /** Who handled it: `''` is base. */
  readonly sides: readonly string[]
}

export interface Member {
  /** `''` for base. */
  lane: string
  up: boolean
  /** When it asked for the end of the ledger: what it has seen by then stays known. */
  asOf: number
  /** The lanes that lived then: only the control decides by it. */
  living: readonly string[]
  /** Groups that it is a member of: `''` is that of base. */
  groups: readonly string[]
  /** Where it reads, by `group/partition`. It handles one message more of what it lost in a rebalance. */
  at: Record<string, number>
  announcing: { start: StartOffsets; at: number; set: boolean; written: boolean } | null
}

export interface State {
  now: number
  ledger: readonly { key: string; value: string; at: number }[]
  compacted: number
  log: (readonly LogMessage[])[]
  committed: Record<string, number>
  owners: Record<string, number>
  members: Member[]
  /** Lanes that stand-ins left, because all was read. */
  done: readonly string[]
  messages: number
  crashes: number
  ends: number
  partitions: number
}

const LONG_AGO = -24 * 3600 * 1000

export const member = (lane: string): Member => ({
  lane,
  up: false,
  asOf: LONG_AGO,
  living: [],
  groups: [],
  at: {},
  announcing: null,
})

export const opening = (lane: string, id: number, start: StartOffsets) => ({
  key: `g/${lane}/${id}`,
  value: ledgerValue({ start }),
})

export function beginning({ base, lanes, announced = [], partitions, messages, crashes, ends }: Scenario): State {
  return {
    now: 0,
    ledger: announced.map((lane, id) => ({ ...opening(lane, id, {}), at: LONG_AGO })),
    compacted: 0,
    log: Array.from({ length: partitions[0] }, () => []),
    committed: {},
    owners: {},
    members: [...Array<string>(base).fill(''), ...lanes].map(member),
    done: [],
    messages,
    crashes,
    ends,
    partitions: partitions[1],
  }
}

/** A copy that a step may change: what is `readonly` is replaced, never changed. */
export function copyOf(state: State): State {
  return {
    ...state,
    log: [...state.log],
    committed: { ...state.committed },
    owners: { ...state.owners },
    members: state.members.map(member => ({ ...member, at: { ...member.at } })),
  }
}

interface SeenView {
  readonly view: LaneLedgerView
  readonly clock: { ms: number }
}

const ledgers = new Map<string, State['ledger']>()
/** By ledger, then by how much of it is seen and compacted. */
const views = new WeakMap<State['ledger'], Map<string, SeenView>>()

/** Adds to the ledger; equal ledgers are one object, so that they share their views. */
export function append(state: State, ...records: State['ledger']): void {
  const ledger = [...state.ledger, ...records]
  const name = JSON.stringify(ledger)
  if (ledgers.size > 10_000) ledgers.clear()
  if (!ledgers.has(name)) ledgers.set(name, ledger)
  state.ledger = ledgers.get(name)!
}

/** What a member sees that asked so long ago. Those that started since the ledger was compacted see less. */
export function viewOf(state: State, { fault, showsAfterMs = 0 }: Scenario, ageMs: number): LaneLedgerView {
  const { ledger, compacted } = state
  const shown = ledger.filter(({ at }) => at + showsAfterMs <= state.now - ageMs)
  let known = views.get(ledger)
  if (known === undefined) {
    known = new Map()
    views.set(ledger, known)
  }
  const name = `${shown.length} ${compacted} ${fault}`
  const seen = known.get(name) ?? seenView(shown, ledger.slice(0, compacted), fault)
  known.set(name, seen)
  seen.clock.ms = fault === 'stale-view' ? 0 : ageMs
  return seen.view
}

function seenView(shown: State['ledger'], compacted: State['ledger'], fault: Fault | undefined): SeenView {
  const clock = { ms: 0 }
  const view = new LaneLedgerView('g', () => clock.ms)
  for (const record of shown) {
    const { key, value, at } = record
    const last = compacted.findLast(one => one.key === key)
    // Replaced by a record behind it.
    if (compacted.includes(record) && last !== record) continue
    view.apply(key, value, fault === 'short-end' && value.includes('end') ? at - END_LEAD_MS : at)
  }
  view.markFresh(0)
  return { view, clock }
}

/** Each decision that a view of some age leads to, and the first such age. */
export function decisionsOf(
  scenario: Scenario,
  state: State,
  { tags, ts }: LogMessage,
  one: Pick<Member, 'asOf' | 'living'>,
  group: string,
): Map<string, number> {
  const list = tags === '' ? undefined : tags.split(',')
  if (scenario.fault === 'poll') {
    const owner = group === '' ? list?.find(tag => one.living.includes(tag)) : list?.[0]
    return new Map([[(owner ?? '') === group ? 'own' : 'skip', 0]])
  }
  const decisions = new Map<string, number>()
  for (const ageMs of scenario.agesMs) {
    if (state.now - ageMs < one.asOf && scenario.fault !== 'stale-view') continue
    const decision = decideOwner(list, ts, viewOf(state, scenario, ageMs), group === '' ? undefined : group)
    if (decision !== 'wait' && !decisions.has(decision)) decisions.set(decision, ageMs)
  }
  return decisions
}

/** What a member of a lane puts into its announcement. */
export function offsetsOf({ log, committed }: State): Record<string, string> {
  return Object.fromEntries([...log.keys()].map(p => [`${p}`, `${committed[`/${p}`] ?? 0}`]))
}

/** Where a member begins to read that gets a partition: what is committed, else what the announcement says. */
export function beginOf(scenario: Scenario, state: State, group: string, p: number): number {
  const committed = state.committed[`${group}/${p}`]
  if (committed !== undefined || group === '') return committed ?? 0
  // As a consumer that begins at the latest message.
  if (scenario.fault === 'poll') return state.log[p]!.length
  return Number(viewOf(state, scenario, 0).startOf(group, `${p}`, state.now) ?? 0)
}

/** The members that may have the partitions of a group: those of its lane, without one its stand-ins. */
export function ableOf({ members }: State, group: string): number[] {
  const joined = [...members.keys()].filter(n => members[n]!.groups.includes(group))
  const own = joined.filter(n => members[n]!.lane === group)
  return own.length > 0 ? own : joined
}

export function placeOf(place: string): [group: string, partition: number] {
  const slash = place.lastIndexOf('/')
  return [place.slice(0, slash), Number(place.slice(slash + 1))]
}
