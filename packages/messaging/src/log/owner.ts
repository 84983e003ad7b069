import { BASE_TAG } from '@laneway/core'

/** A lane's ownership of messages with timestamps from `fromMs` to before `untilMs`, in milliseconds since the epoch. */
export interface OwnedInterval {
  readonly fromMs: number
  /** `undefined` while the lane goes on. */
  readonly untilMs: number | undefined
}

/**
 * The tag that owns a message of a log: the first with an interval that holds its timestamp, `undefined` for base. The
 * tag `base` ends the list. Both sides read the same intervals and the same timestamp, so exactly one of them handles the message. Never throws.
 *
 * @param timestampMs - the message's own, in milliseconds since the epoch
 * @param intervals - by lane
 */
export function ownerOf(
  tags: readonly string[],
  timestampMs: number,
  intervals: ReadonlyMap<string, readonly OwnedInterval[]>,
): string | undefined {
  for (const tag of tags) {
    if (tag === BASE_TAG) return undefined
    const owned = intervals.get(tag)
    if (owned === undefined) continue
    for (const { fromMs, untilMs } of owned) {
      if (timestampMs >= fromMs && (untilMs === undefined || timestampMs < untilMs)) return tag
    }
  }
  return undefined
}
