export interface FetchedBatch {
  readonly attributes: number
  readonly maxTimestamp: bigint
  firstTimestamp: bigint
  readonly records: { timestampDelta: bigint }[]
}

/** What the client's `fetch` gives. */
export interface Fetched {
  readonly responses: readonly { readonly partitions: readonly { readonly records?: FetchedBatch[] }[] }[]
}

export type FetchDone = (error: unknown, fetched?: Fetched) => unknown

/** A fetch that was asked for by other offsets: the client reads on where it stands. */
export const withoutRecords = (fetched: Fetched): Fetched => ({ ...fetched, responses: [] })
