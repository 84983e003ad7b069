import { randomUUID } from 'node:crypto'
import { BASE_TAG, isTag } from '@laneway/core'

/**
 * Where readers of a lane's group begin that find no committed offset: an offset for each `topic/partition` of Kafka,
 * an entry id for each stream of Redis.
 */
export type StartOffsets = Readonly<Record<string, string>>

/**
 * What a record of the ledger says: the lane owns from now on, beginning at these offsets, and its group has this name; it
 * owns no more; or all that it owned until the record with this id was read.
 */
export type LedgerRecord =
  | { readonly start: StartOffsets; readonly laneGroup?: string | undefined }
  | { readonly end: true }
  | { readonly read: string }

/** The name of a lane's group, where nothing else is said. */
export const defaultLaneGroup = (group: string, lane: string): string => `${group}_${lane}`

/**
 * A key that no other record has. **Write each key once**: switch off the client's retries, or use its idempotent
 * producer, and take a new key after an error. A key that is written twice would move when the log is compacted.
 */
export function ledgerKey(group: string, lane: string): string {
  return `${group}/${lane}/${randomUUID()}`
}

/** Reads a key; a group may have slashes in it. Never throws. */
export function parseLedgerKey(key: string): { group: string; lane: string; id: string } | undefined {
  const beforeId = key.lastIndexOf('/')
  const beforeLane = key.lastIndexOf('/', beforeId - 1)
  if (beforeId < 0 || beforeLane < 1) return undefined
  const lane = key.slice(beforeLane + 1, beforeId)
  const id = key.slice(beforeId + 1)
  if (!isTag(lane) || lane === BASE_TAG || id === '') return undefined
  return { group: key.slice(0, beforeLane), lane, id }
}

/** The value of a record. */
export function ledgerValue(record: LedgerRecord): string {
  return JSON.stringify(record)
}

/** Reads a value. Ignores names that it does not know and offsets that are none. Never throws. */
export function parseLedgerValue(value: string): LedgerRecord | undefined {
  let read: unknown
  try {
    read = JSON.parse(value)
  } catch {
    return undefined
  }
  if (typeof read !== 'object' || read === null) return undefined
  if (Object.hasOwn(read, 'end')) return { end: true }
  if (Object.hasOwn(read, 'read')) {
    const { read: id } = read as { read: unknown }
    return typeof id === 'string' ? { read: id } : undefined
  }
  if (!Object.hasOwn(read, 'start')) return undefined
  const { start, laneGroup } = read as { start: unknown; laneGroup?: unknown }
  if (typeof start !== 'object' || start === null) return undefined
  // fromEntries defines properties, so that a place named `__proto__` changes no prototype.
  return {
    start: Object.fromEntries(Object.entries(start).filter(([, offset]) => isOffset(offset))),
    ...(typeof laneGroup === 'string' && laneGroup !== '' && { laneGroup }),
  }
}

/** Decimal digits as Kafka has them, two numbers as the entry ids of Redis. */
function isOffset(offset: unknown): boolean {
  return typeof offset === 'string' && offset.length <= 41 && /^\d+(-\d+)?$/.test(offset)
}
