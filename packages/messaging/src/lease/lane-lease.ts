/**
 * Who works for which lane of a queue, as the broker itself knows it. A lease that is not renewed ends by the broker's
 * clock or by the end of the connection, so clocks of instances play no part.
 */
export interface LaneLease {
  /**
   * Says that this instance works for its lane, until {@link release}. Resolves once every instance of base that looks
   * in time knows.
   */
  hold(): Promise<void>
  /** Ends it at once. */
  release(): Promise<void>
}

/** How base sees the lanes of a queue. */
export interface LivingLanes {
  /**
   * The first of some tags with a living consumer. Waits for a look at the broker where the last one is too old.
   *
   * @throws what the broker says: then the message is decided later, not by a guess
   */
  firstLiving(tags: readonly string[]): Promise<string | undefined>
  /** Ends the looks. */
  close(): Promise<void>
}
