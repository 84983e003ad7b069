import { isDisabled } from '@laneway/core/internal'
import type { MessageOptions } from '@laneway/messaging'
import { createMessageLanes } from '@laneway/messaging/internal'

/** Gives the fields of an entry the lane that it carries. */
export type LaneFields = <F extends Readonly<Record<string, unknown>>>(
  stream: string,
  fields: F,
) => F & Record<string, unknown>

/**
 * Creates what writes the lane of the running code into the fields of an entry: call it where the program adds the entry.
 * A stream has no headers, so the lane is a field that every reader sees: use it for streams whose readers ignore fields
 * that they do not know.
 *
 * The result never changes what it is given. A valid tag that the program itself set is the lane of the entry; any other is
 * removed.
 *
 * Under `LANEWAY_DISABLE` with `all` or `redis-streams` it returns the fields as they are.
 *
 * @throws LanewayError `LANEWAY_INVALID_OPTION`, `LANEWAY_INVALID_TAG`
 */
export function createLaneFields(options: MessageOptions = {}): LaneFields {
  if (isDisabled(['redis-streams'])) return (_stream, fields) => fields
  const lanes = createMessageLanes('createLaneFields', 'redis-streams', options)
  return (stream, fields) => lanes.tagged(stream, fields) as typeof fields
}
