import { setTimeout as sleep } from 'node:timers/promises'
import { backoffMs } from '@laneway/core/internal'
import type { RedisConnection } from '@laneway/messaging/internal'
import type { OwnConnection } from '../own-connection.js'
import { GroupMembership } from './group-membership.js'
import { parseEntries, type RawEntry } from './stream-entry.js'

/** How long a read waits for entries, and so the most that closing waits for it, in milliseconds. */
const BLOCK_MS = 1000
/** How often entries of dead consumers are looked for, at most, in milliseconds. */
const CLAIM_EVERY_MS = 1000
const COUNT = 32

export type Handled = 'done' | 'skipped' | 'leave'

export interface GroupReaderOptions {
  readonly stream: string
  readonly group: string
  readonly consumer: string
  readonly concurrency: number
  /** How long an entry is nobody's before another consumer takes it, in milliseconds. */
  readonly claimIdleMs: number
  /** Shared, for commands that do not block. */
  readonly connection: RedisConnection
  /** A connection for commands that block. */
  readonly open: () => Promise<OwnConnection>
  /** `skipped`: others handle it. `leave`: another consumer shall have it at once. A rejection: it is tried again later. */
  readonly handle: (entry: RawEntry) => Handled | Promise<Handled>
  /** Makes the group when there is none. */
  readonly create: () => Promise<void>
  readonly failed: (error: Error, entry?: RawEntry) => void
}

/**
 * Reads a stream as a member of a consumer group: new entries, and those of members that are gone. Entries that it has
 * taken are kept from being claimed, however long their handlers run.
 */
export class GroupReader {
  readonly #options: GroupReaderOptions
  readonly #membership: GroupMembership
  readonly #running = new Set<Promise<void>>()
  readonly #abort = new AbortController()
  /** Ends a wait for a handler. */
  #wake = () => {}
  #loop: Promise<void> | undefined
  #own: OwnConnection | undefined
  #cursor = '0-0'
  #claimAt = Number.NEGATIVE_INFINITY

  constructor(options: GroupReaderOptions) {
    this.#options = options
    this.#membership = new GroupMembership(options)
    this.#abort.signal.addEventListener('abort', () => this.#wake())
  }

  start(): void {
    this.#loop ??= this.#run()
  }

  /** Takes no more entries, leaves those that have not begun to others, ends those that run. */
  async close(): Promise<void> {
    if (this.#abort.signal.aborted) return
    this.#abort.abort()
    // A server that is away would let the read wait for ever.
    await Promise.race([this.#loop, sleep(2 * BLOCK_MS)])
    this.#own?.end()
    await Promise.all(this.#running)
    await this.#membership.leave()
  }

  async #run(): Promise<void> {
    const { failed, open, create } = this.#options
    const { signal } = this.#abort
    for (let failures = 0; !signal.aborted; ) {
      try {
        this.#own ??= await open()
        const entries = await this.#next(this.#own)
        failures = 0
        await this.#take(entries)
      } catch (error) {
        if (signal.aborted) return
        if (String((error as Error)?.message).startsWith('NOGROUP')) await create().catch(failed)
        else failed(error as Error)
        await sleep(backoffMs(failures++, 100, 5000), undefined, { signal }).catch(() => {})
      }
    }
  }

  /** Entries of members that are gone come before new ones, because they are older. */
  async #next(own: OwnConnection): Promise<readonly RawEntry[]> {
    const { stream, group, consumer, claimIdleMs } = this.#options
    const now = performance.now()
    if (now >= this.#claimAt) {
      const claim = ['XAUTOCLAIM', stream, group, consumer, claimIdleMs, this.#cursor, 'COUNT', COUNT] as const
      const [cursor, list] = (await own.call(...claim)) as [unknown, unknown]
      this.#cursor = String(cursor)
      if (this.#cursor === '0-0') this.#claimAt = now + Math.min(CLAIM_EVERY_MS, claimIdleMs / 2)
      const entries = this.#keep(list, now)
      if (entries.length > 0) return entries
    }
    const sentAt = performance.now()
    const read = [
      'XREADGROUP',
      'GROUP',
      group,
      consumer,
      'COUNT',
      COUNT,
      'BLOCK',
      BLOCK_MS,
      'STREAMS',
      stream,
      '>',
    ] as const
    return this.#keep(listOf(await own.call(...read)), sentAt)
  }

  #keep(list: unknown, sentAt: number): RawEntry[] {
    const { entries, deleted } = parseEntries(this.#options.stream, list)
    for (const id of deleted) void this.#membership.acknowledge(id)
    // What a member claims from itself is under way already.
    const fresh = entries.filter(({ id }) => !this.#membership.holds(id))
    this.#membership.hold(
      fresh.map(({ id }) => id),
      sentAt,
    )
    return fresh
  }

  async #take(entries: readonly RawEntry[]): Promise<void> {
    const { concurrency } = this.#options
    for (const [index, entry] of entries.entries()) {
      while (this.#running.size >= concurrency && !this.#abort.signal.aborted) {
        await this.#untilWoken()
      }
      if (this.#abort.signal.aborted) return this.#membership.handBack(entries.slice(index).map(({ id }) => id))
      const holds = this.#membership.stillHolds(entry.id)
      if (holds === true || (holds !== false && (await holds))) this.#begin(entry)
    }
  }

  /** Until a handler ends, or by closing. A race with a promise that never settles would keep something of each race. */
  #untilWoken(): Promise<void> {
    return new Promise(resolve => {
      this.#wake = resolve
    })
  }

  #begin(entry: RawEntry): void {
    let handled: Handled | Promise<Handled>
    try {
      handled = this.#options.handle(entry)
    } catch (error) {
      handled = Promise.reject(error)
    }
    if (handled === 'skipped') {
      void this.#membership.acknowledge(entry.id)
      return
    }
    const running = this.#end(entry, handled).finally(() => {
      this.#running.delete(running)
      this.#wake()
    })
    this.#running.add(running)
  }

  async #end(entry: RawEntry, handling: Handled | Promise<Handled>): Promise<void> {
    try {
      const handled = await handling
      if (handled === 'leave') await this.#membership.handBack([entry.id])
      else {
        const acknowledged = this.#membership.acknowledge(entry.id)
        // It counts as running until Redis knows: no more than those that run are handled again after a crash.
        if (handled === 'done') await acknowledged
      }
    } catch (error) {
      // It stays pending, and is claimed once it has been idle for long enough.
      this.#membership.drop(entry.id)
      this.#options.failed(error as Error, entry)
    }
  }
}

/** The entries in the reply to a read of one stream: a list of pairs, or a map in version 3 of the protocol. */
function listOf(reply: unknown): unknown {
  if (reply === null || reply === undefined) return []
  if (Array.isArray(reply)) return (reply[0] as [unknown, unknown])[1]
  return reply instanceof Map ? reply.values().next().value : Object.values(reply)[0]
}
