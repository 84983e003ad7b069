/**
 * A lane: up to four tags, highest priority first. A plain frozen object; compare `lane.header`, never identity, because
 * another copy of this package may have made it.
 */
export interface Lane {
  /** As it goes on the wire: `gray`, or `gray-2,gray`. */
  readonly header: string
  readonly tags: readonly string[]
}

/** Under this symbol the lane of an outgoing request travels with it (`opts[kLane]`, the request object). */
export const kLane: unique symbol = Symbol.for('laneway.lane') as never
