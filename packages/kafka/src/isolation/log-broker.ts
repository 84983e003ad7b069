/** `topic/partition`. */
export type Place = string

export const placeOf = (topic: string, partition: number): Place => `${topic}/${partition}`

/** Who is in a group. */
export interface GroupLook {
  /** `false` while the group rebalances: the broker does not say then what its members are. */
  readonly settled: boolean
  /** The user data of each member: its role or its mark. */
  readonly members: readonly string[]
}

/** Told of the ledger as it is read. */
export interface LedgerListener {
  /** @param value - `null` for a record that was removed */
  record(offset: bigint, key: string, value: string | null, appendedMs: number): void
}

/** What isolation asks of Kafka, through whichever client. Its methods throw what the client throws. */
export interface LogBroker {
  groups(names: readonly string[]): Promise<ReadonlyMap<string, GroupLook>>
  /** Whether a group may have members of KIP-848: {@link groups} does not show them. */
  hidesMembers(group: string): Promise<boolean>
  /** The offsets that a group has committed; places without a commit are left out. */
  committed(group: string, topics: readonly string[]): Promise<ReadonlyMap<Place, string>>
  /** The names of all topics. */
  topics(): Promise<readonly string[]>
  /** The first offset of each place, and the one after its last. */
  bounds(topics: readonly string[]): Promise<ReadonlyMap<Place, { readonly low: string; readonly high: string }>>
  /** Makes the topic of the ledger where it is missing. */
  createLedger(): Promise<void>
  /** Appends to the ledger, once: a key that is written twice would move when the log is compacted. */
  append(key: string, value: string | null): Promise<void>
  /** Reads the ledger from its start, and goes on. @returns what ends it */
  readLedger(listener: LedgerListener): Promise<() => Promise<void>>
  close(): Promise<void>
}
