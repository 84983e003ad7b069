import { setTimeout as sleep } from 'node:timers/promises'
import type { Warn } from '@laneway/core'
import { limitedSignal } from '@laneway/core/internal'
import { LaneLedgerView } from '@laneway/messaging/internal'
import { LEDGER_TOPIC, ledgerError } from './ledger-topic.js'
import type { LogBroker } from './log-broker.js'

const LOOK_MS = 1000
/** A view that is older than this gets a warning. */
const OLD_MS = 10_000
/** A reader that is behind and has read nothing for this long has ended, or hangs. */
const STALLED_MS = 10_000

type LedgerRecord = readonly [key: string, value: string | null, appendedMs: number]

/**
 * Reads the ledger from its start, keeps a view for each group, and proves each second that the views are fresh: the end
 * of the log was asked for, and everything before it has been read.
 */
export class LedgerReader {
  readonly #broker: LogBroker
  readonly #warn: Warn
  readonly #stalledMs: number
  readonly #views = new Map<string, LaneLedgerView>()
  /** All records, for views that are asked for later. */
  readonly #records: LedgerRecord[] = []
  /** Offset of the last record that was read. A reader that rejoins its group reads from the start again. */
  #position = -1n
  #reads = 0
  #applied = -1n
  /** The end of the log at the last proof. */
  #end = 0n
  #asOfMs = Number.NEGATIVE_INFINITY
  #progress: (() => void)[] = []
  readonly #closing = new AbortController()
  #endReading: (() => Promise<void>) | undefined
  #looking: Promise<void> | undefined
  #warned = false

  constructor(broker: LogBroker, warn: Warn, stalledMs = STALLED_MS) {
    this.#broker = broker
    this.#warn = warn
    this.#stalledMs = stalledMs
  }

  /** Resolves once everything has been read. @throws LanewayError `LANEWAY_LEDGER` */
  async open(): Promise<void> {
    await this.#broker.createLedger().catch(error => {
      throw ledgerError('create', error)
    })
    try {
      await this.#beginReading()
      await this.#prove(this.#closing.signal)
    } catch (error) {
      throw ledgerError('read', error)
    }
    this.#looking = this.#look()
  }

  /** The lanes of a group. */
  viewOf(group: string): LaneLedgerView {
    const known = this.#views.get(group)
    if (known !== undefined) return known
    const view = new LaneLedgerView(group)
    for (const record of this.#records) view.apply(...record)
    this.#views.set(group, view)
    view.markFresh(this.#asOfMs)
    return view
  }

  async close(): Promise<void> {
    this.#closing.abort(new Error('the reader of the ledger is closed'))
    await this.#looking
    await this.#endReading?.()
  }

  #read(offset: bigint, record: LedgerRecord): void {
    this.#reads++
    this.#position = offset
    if (offset > this.#applied) {
      this.#applied = offset
      this.#records.push(record)
      for (const view of this.#views.values()) view.apply(...record)
    }
    const waiting = this.#progress
    this.#progress = []
    for (const look of waiting) look()
  }

  async #look(): Promise<void> {
    const { signal } = this.#closing
    while (!signal.aborted) {
      await sleep(LOOK_MS, undefined, { signal, ref: false }).catch(() => {})
      if (signal.aborted) return
      const once = limitedSignal(signal, this.#stalledMs)
      const before = this.#reads
      try {
        await this.#prove(once.signal)
        this.#warned = false
      } catch (error) {
        this.#complain(error)
        // Of another error the broker is away, and the reader goes on with it.
        const stalled = error === once.signal.reason && this.#reads === before
        if (stalled && !signal.aborted) await this.#unlessClosed(this.#readAnew())
      } finally {
        once.release()
      }
    }
  }

  async #beginReading(): Promise<void> {
    const end = await this.#broker.readLedger({ record: (offset, ...record) => this.#read(offset, record) })
    if (this.#closing.signal.aborted) await end()
    else this.#endReading = end
  }

  /** A client's consumer may end for good with an error that it does not try again. */
  async #readAnew(): Promise<void> {
    const end = this.#endReading
    this.#endReading = undefined
    await end?.().catch(() => {})
    // Without a reader the next proof fails, too.
    await this.#beginReading().catch(error => this.#complain(error))
  }

  /** A client may try for hours to reach a broker that is away. */
  async #unlessClosed(work: Promise<void>): Promise<void> {
    const { signal } = this.#closing
    let closed = () => {}
    try {
      await Promise.race([
        work,
        new Promise<void>(resolve => {
          closed = resolve
          signal.addEventListener('abort', closed)
        }),
      ])
    } finally {
      signal.removeEventListener('abort', closed)
    }
  }

  #complain(error: unknown): void {
    if (this.#warned || this.#closing.signal.aborted || performance.now() - this.#asOfMs < OLD_MS) return
    this.#warned = true
    this.#warn(
      `kafka: the ledger ${LEDGER_TOPIC} cannot be read (${(error as Error)?.message ?? error}); messages with a lane wait ` +
        'until it can, those without go on',
    )
  }

  async #prove(signal: AbortSignal): Promise<void> {
    const askedMs = performance.now()
    const end = [...(await this.#broker.bounds([LEDGER_TOPIC])).values()][0]
    if (end === undefined) throw new Error('it has no partition')
    const [low, high] = [BigInt(end.low), BigInt(end.high)]
    if (high < this.#end) throw new Error('it was made anew; restart the consumers of base and of lanes')
    while (this.#position + 1n < high && low < high) await this.#next(signal)
    this.#end = high
    this.#asOfMs = askedMs
    for (const view of this.#views.values()) view.markFresh(askedMs)
  }

  async #next(signal: AbortSignal): Promise<void> {
    // It was aborted while the broker was asked.
    signal.throwIfAborted()
    await new Promise<void>((resolve, reject) => {
      const abort = () => reject(signal.reason)
      signal.addEventListener('abort', abort, { once: true })
      this.#progress.push(() => {
        signal.removeEventListener('abort', abort)
        resolve()
      })
    })
  }
}
