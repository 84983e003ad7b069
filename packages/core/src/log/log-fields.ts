import { currentLane } from '../context/context.js'
import { ownLane } from '../lane/own-lane.js'

/** What a log line should say about lanes; a field is left out where there is nothing to say. */
export interface LaneLogFields {
  /** The lane of the running code. */
  lane?: string
  /** The lane that this process belongs to. */
  ownLane?: string
}

let own: { readonly header: string | undefined } | undefined

/**
 * Fields for a logger, e.g. `pino({ mixin: laneLogFields })`. A new object each time, because loggers write to it. An own
 * tag that is no tag is left out here; it stops the start elsewhere. Never throws.
 */
export function laneLogFields(): LaneLogFields {
  own ??= { header: ownHeader() }
  const fields: LaneLogFields = {}
  const lane = currentLane()
  if (lane !== undefined) fields.lane = lane.header
  if (own.header !== undefined) fields.ownLane = own.header
  return fields
}

function ownHeader(): string | undefined {
  try {
    return ownLane({ warn: () => {} })?.header
  } catch {
    return undefined
  }
}
