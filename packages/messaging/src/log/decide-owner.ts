import { BASE_TAG } from '@laneway/core'
import type { LaneLedgerView } from './lane-ledger-view.js'
import { ownerOf } from './owner.js'

/** `own`: handle it. `skip`: another side does. `wait`: the view is too old to know; decide again once it is fresh. */
export type OwnerDecision = 'own' | 'skip' | 'wait'

/**
 * Whether a side of a log handles a message. Base, a lane and the stand-in of a lane ask alike, and exactly one side of
 * those that may decide gets `own`. A message without a lane, or
 * explicitly of base, never waits. Never throws.
 *
 * @param tags - of the message's lane
 * @param timestampMs - the message's own, in milliseconds since the epoch
 * @param side - the tag of the lane whose group reads, `undefined` for the group of base
 */
export function decideOwner(
  tags: readonly string[] | undefined,
  timestampMs: number,
  view: LaneLedgerView,
  side: string | undefined,
): OwnerDecision {
  if (tags === undefined || tags[0] === BASE_TAG) return side === undefined ? 'own' : 'skip'
  if (!view.canDecide()) return 'wait'
  return ownerOf(tags, timestampMs, view.intervals()) === side ? 'own' : 'skip'
}
