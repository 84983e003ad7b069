import { setTimeout as sleep } from 'node:timers/promises'
import { LanewayError, type Warn } from '@laneway/core'
import { backoffMs, describe } from '@laneway/core/internal'
import {
  defaultLaneGroup,
  END_LEAD_MS,
  type LaneLedgerView,
  ledgerKey,
  ledgerValue,
  type StartOffsets,
} from '@laneway/messaging/internal'
import { ledgerError } from './ledger-topic.js'
import type { LogBroker } from './log-broker.js'
import { BASE_MARK } from './member-data.js'

export interface Announcement {
  readonly broker: LogBroker
  readonly view: LaneLedgerView
  readonly group: string
  readonly lane: string
  readonly laneGroup: string
  readonly topics: () => Promise<readonly string[]>
  readonly assumeBase: boolean
  readonly warn: Warn
  readonly signal: AbortSignal
  /** Called when members of base do not keep lanes apart yet. */
  readonly waits: () => void
}

const LOOK_MS = 1000
/** Failures before this are those of a broker that restarts. */
const WARN_AT_TURN = 3

/**
 * Says in the ledger that a lane owns messages from soon on, where it does not say so already. Begins after base's members
 * have said that they keep lanes apart.
 *
 * @throws the signal's reason, and LanewayError `LANEWAY_INVALID_OPTION` when another lane has the same group
 */
export async function announceLane(announcement: Announcement): Promise<void> {
  const { broker, view, group, lane, laneGroup, topics, warn, signal } = announcement
  for (let turn = 0; ; turn++) {
    try {
      await view.untilFresh(signal)
      assertOwnGroup(announcement)
      if (view.openEntry(lane) !== undefined) return
      await untilBaseIsMarked(announcement)
      const start = await startOf(broker, group, await topics())
      const record = laneGroup === defaultLaneGroup(group, lane) ? { start } : { start, laneGroup }
      await broker.append(ledgerKey(group, lane), ledgerValue(record))
      while (view.openEntry(lane) === undefined) await sleep(20, undefined, { signal })
      // Another lane may have announced itself at the same time.
      assertOwnGroup(announcement)
      return
    } catch (error) {
      // Whether it was written cannot be known; a second announcement with a key of its own does no harm.
      signal.throwIfAborted()
      if ((error as Partial<LanewayError>).code === 'LANEWAY_INVALID_OPTION') throw error
      if (turn === WARN_AT_TURN) {
        warn(`kafka: lane ${lane} of group "${group}" waits: ${ledgerError('write to', error).message}`)
      }
      await sleep(backoffMs(turn, 200, 5000), undefined, { signal })
    }
  }
}

/** The members of one group share its messages, and those of a lane skip what is for another lane. */
function assertOwnGroup({ view, group, lane, laneGroup }: Announcement): void {
  const announcedMs = view.openEntry(lane)?.announcedMs ?? Number.POSITIVE_INFINITY
  const other = view.entries().find(entry => {
    const goesOn = entry.untilMs === undefined || entry.untilMs + END_LEAD_MS > Date.now()
    return entry.lane !== lane && entry.laneGroup === laneGroup && goesOn && entry.announcedMs <= announcedMs
  })
  if (other === undefined) return
  throw new LanewayError(
    'LANEWAY_INVALID_OPTION',
    `laneGroup gives each lane a group of its own, received ${describe(laneGroup)} for lane ${lane} of "${group}", which is the ` +
      `group of lane ${other.lane}`,
  )
}

/** Everything that base will still decide lies at or behind what it has committed. */
async function startOf(broker: LogBroker, group: string, topics: readonly string[]): Promise<StartOffsets> {
  const [bounds, committed] = await Promise.all([broker.bounds(topics), broker.committed(group, topics)])
  return Object.fromEntries([...bounds].map(([place, { low }]) => [place, committed.get(place) ?? low]))
}

async function untilBaseIsMarked({
  broker,
  group,
  lane,
  assumeBase,
  warn,
  signal,
  waits,
}: Announcement): Promise<void> {
  for (let warned = false; !assumeBase; await sleep(LOOK_MS, undefined, { signal })) {
    const look = (await broker.groups([group])).get(group)
    if (look?.settled !== true) continue
    const hides = look.members.length === 0 && (await broker.hidesMembers(group))
    if (!hides && look.members.every(mark => mark === BASE_MARK)) return
    if (warned) continue
    warned = true
    waits()
    warn(
      hides
        ? `kafka: lane ${lane} waits, because members of group "${group}" use the protocol of KIP-848 and cannot say that they ` +
            "keep lanes apart; give all instances of base lanes: 'isolate', then assumeBase to the lane"
        : `kafka: lane ${lane} waits, because members of group "${group}" do not keep lanes apart and would handle its ` +
            "messages, too; give all instances of base lanes: 'isolate' first, or set assumeBase",
    )
  }
}
