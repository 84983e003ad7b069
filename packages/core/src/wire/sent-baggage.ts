import type { Lane } from '../lane/lane.js'
import {
  baggageMember,
  hasLaneMember,
  parseBaggageLane,
  parseMseLane,
  withLaneMember,
  withoutLaneMembers,
} from './baggage.js'
import { BAGGAGE_KEY, MSE_BAGGAGE_KEY } from './baggage-key.js'
import type { LaneFormat } from './reading.js'

/** One for all copies of this package: ingress and egress may come from different ones. */
const kUnread = Symbol.for('laneway.formats.unread.v1')
const holder = globalThis as { [kUnread]?: Set<LaneFormat> }
holder[kUnread] ??= new Set()
const unread = holder[kUnread]

/** Notes the carriers that an ingress of this process leaves unread: they are the application's, so no egress removes them. */
export function noteFormats(formats: readonly LaneFormat[]): void {
  for (const format of ['mse-baggage', 'baggage'] as const) if (!formats.includes(format)) unread.add(format)
}

/** Whether an ingress of this process leaves a carrier unread. */
export function leavesCarriersUnread(): boolean {
  return unread.size > 0
}

/**
 * The baggage of a request to a host in scope. A member that names another lane than the request is in is replaced, since
 * a neighbour would read another lane than was picked. A request without a lane loses our members, but for those that this
 * process does not read. All else stays byte for byte.
 *
 * @param value - what the request carries
 * @param asked - write the member where there is none; `'mse'`: write MSE's member
 */
export function sentBaggage(
  value: string | undefined,
  lane: Lane | undefined,
  asked: boolean | 'mse',
): string | undefined {
  if (lane === undefined) return value === undefined || !namesLaneThatIsRead(value) ? value : withoutLaneMembers(value)
  return asked || (value !== undefined && contradicts(value, lane)) ? withLaneMember(value, lane, asked) : value
}

function namesLaneThatIsRead(baggage: string): boolean {
  if (!hasLaneMember(baggage)) return false
  if (unread.size === 0) return true
  // Both or none: what is left of two members would be the one that nobody here has looked at.
  if (unread.has('baggage') && baggageMember(baggage, BAGGAGE_KEY) !== undefined) return false
  return !(unread.has('mse-baggage') && baggageMember(baggage, MSE_BAGGAGE_KEY) !== undefined)
}

function contradicts(baggage: string, lane: Lane): boolean {
  if (!hasLaneMember(baggage)) return false
  const plain = baggageMember(baggage, BAGGAGE_KEY)
  const mse = baggageMember(baggage, MSE_BAGGAGE_KEY)
  return (
    (plain !== undefined && parseBaggageLane(plain)?.header !== lane.header) ||
    (mse !== undefined && parseMseLane(mse)?.header !== lane.header)
  )
}
