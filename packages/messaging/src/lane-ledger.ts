/** A lane's ownership of messages with timestamps from `fromMs` to before `untilMs`, in milliseconds since the epoch. */
export interface OwnedInterval {
  readonly lane: string
  readonly fromMs: number
  /** `undefined` while the lane goes on. */
  readonly untilMs: number | undefined
}

/**
 * Which lane owns which messages of a log. Both sides read the same intervals and the same timestamp of a message, so
 * that exactly one of them handles it.
 */
export interface LaneLedger {
  /** The intervals that are known, and how old that knowledge is. A tagged message is decided only by a young one. */
  view(): { readonly intervals: readonly OwnedInterval[]; readonly ageMs: number }
  /** Announces that a lane owns messages from `fromMs` on. */
  announce(lane: string, fromMs: number): Promise<void>
}

/**
 * The tag that owns a message of a log: the first with an interval that holds its timestamp, `undefined` for base.
 *
 * @param timestampMs - the message's own, in milliseconds since the epoch
 */
export function ownerOf(
  tags: readonly string[],
  timestampMs: number,
  intervals: readonly OwnedInterval[],
): string | undefined {
  return tags.find(tag =>
    intervals.some(
      ({ lane, fromMs, untilMs }) =>
        lane === tag && timestampMs >= fromMs && (untilMs === undefined || timestampMs < untilMs),
    ),
  )
}
