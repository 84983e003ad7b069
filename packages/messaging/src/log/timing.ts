/**
 * A lane owns messages from this time after its announcement on. Part of the format: every member of a group must use
 * the same, because each computes the beginning from the time at which the broker stored the announcement.
 */
export const LEAD_MS = 6000

/** A lane's ownership ends this time after the broker stored its end. Part of the format, as {@link LEAD_MS} is. */
export const END_LEAD_MS = 60_000

/** A tagged message is decided with a view that is younger than this: half the lead, the other half is for clocks. */
export const MAX_VIEW_AGE_MS = LEAD_MS / 2

/** How long the ledger keeps what ended, so that consumers that lag or rewind decide as they did before. */
export const KEEP_ENDED_MS = 7 * 24 * 3600 * 1000
