import type { MessageDecision } from '@laneway/messaging/internal'

/** An entry as its handler gets it. */
export interface LaneStreamEntry {
  readonly stream: string
  /** `<milliseconds>-<number>`. */
  readonly id: string
  /** Without the fields of a lane that was refused. Has no prototype. */
  readonly fields: Record<string, string>
}

/** An entry before its lane is decided: a field that occurs several times is a list. */
export interface RawEntry extends LaneStreamEntry {
  readonly fields: Record<string, any>
  /** Some field is a list. */
  readonly hasLists: boolean
  /** The time in its id, by the server's clock. */
  readonly ms: number
  decision: MessageDecision | undefined
}

/** The time in the id of an entry. */
export const msOf = (id: string): number => Number(id.slice(0, id.indexOf('-')))

/** Reads the list of entries in a reply; one that was deleted has no fields. */
export function parseEntries(stream: string, reply: unknown): { entries: RawEntry[]; deleted: string[] } {
  const entries: RawEntry[] = []
  const deleted: string[] = []
  for (const one of (reply ?? []) as ([unknown, unknown[] | null] | null)[]) {
    if (one === null) continue
    const id = String(one[0])
    if (Array.isArray(one[1])) entries.push(entryOf(stream, id, one[1]))
    else deleted.push(id)
  }
  return { entries, deleted }
}

function entryOf(stream: string, id: string, list: readonly unknown[]): RawEntry {
  const fields: Record<string, unknown> = Object.create(null)
  let hasLists = false
  for (let i = 0; i < list.length; i += 2) {
    const name = String(list[i])
    const value = String(list[i + 1])
    const before = fields[name]
    if (before === undefined) fields[name] = value
    else {
      fields[name] = Array.isArray(before) ? [...before, value] : [before, value]
      hasLists = true
    }
  }
  return { stream, id, fields, hasLists, ms: msOf(id), decision: undefined }
}
