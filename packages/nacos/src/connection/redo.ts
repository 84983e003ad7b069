import { type LanewayError, runInLane } from '@laneway/core'
import { backoffMs } from '@laneway/core/internal'
import type { Connection } from './connection.js'
import type { Session } from './session.js'

/** A registration, a subscription or a listener: what must exist on the current session as long as it is wanted. */
export interface RedoTask {
  /** Makes it on this session. May be called again on the same session. */
  apply(session: Session): Promise<void>
  /** Removes it; not called when the session that had it has ended. */
  undo(session: Session): Promise<void>
  /** Called after an attempt that failed; the next attempt follows by itself. */
  failed(error: LanewayError): void
}

interface Entry {
  task: RedoTask
  wanted: boolean
  /** Raised by `touch`: the session has something else than what is wanted. */
  version: number
  appliedVersion: number
  appliedOn: Session | undefined
  /** An attempt began on this session; its outcome may be unknown. */
  triedOn: Session | undefined
  failures: number
  running: Promise<void> | undefined
  timer: NodeJS.Timeout | undefined
  whenGone: (() => void)[]
}

/**
 * Redone at once when a session comes up, this many at a time: thousands would time out in one queue, and the answers that
 * arrive together are read in one turn of the event loop, a third of a millisecond each.
 */
const PARALLEL = 8
const MAX_PAUSE_MS = 30_000

/**
 * Compares what is wanted with what the current session has, and makes up the difference. For each key everything happens
 * in order, so that a quick subscribe, unsubscribe, subscribe ends subscribed. A failure is tried again after
 * `redoIntervalMs`, longer each time.
 */
export class Redo {
  readonly #connection: Connection
  readonly #entries = new Map<string, Entry>()
  readonly #queue: (() => void)[] = []
  #running = 0

  constructor(connection: Connection) {
    this.#connection = connection
  }

  /** Wants the task under this key from now on. It replaces one that is being dropped. */
  want(key: string, task: RedoTask): void {
    const known = this.#entries.get(key)
    if (known !== undefined) {
      known.task = task
      known.wanted = true
      this.touch(key)
      return
    }
    const entry: Entry = {
      task,
      wanted: true,
      version: 1,
      appliedVersion: 0,
      appliedOn: undefined,
      triedOn: undefined,
      failures: 0,
      running: undefined,
      timer: undefined,
      whenGone: [],
    }
    this.#entries.set(key, entry)
    void this.#reconcile(key, entry)
  }

  /** Applies the task again, because what it would send has changed. */
  touch(key: string): void {
    const entry = this.#entries.get(key)
    if (entry === undefined) return
    entry.version++
    clearTimeout(entry.timer)
    void this.#reconcile(key, entry)
  }

  /** Drops the task. Resolves when the server has removed it, or the session has ended. */
  drop(key: string): Promise<void> {
    const entry = this.#entries.get(key)
    if (entry === undefined) return Promise.resolve()
    entry.wanted = false
    clearTimeout(entry.timer)
    return new Promise(resolve => {
      entry.whenGone.push(resolve)
      void this.#reconcile(key, entry)
    })
  }

  /** Redoes everything on a new session. Resolves when each was attempted. Never rejects. */
  async up(): Promise<void> {
    await Promise.all([...this.#entries].map(([key, entry]) => this.#reconcile(key, entry)))
  }

  /** Forgets all tasks, without undoing them at the server. */
  clear(): void {
    for (const [key, entry] of this.#entries) {
      entry.wanted = false
      clearTimeout(entry.timer)
      this.#gone(key, entry)
    }
  }

  #reconcile(key: string, entry: Entry): Promise<void> {
    clearTimeout(entry.timer)
    // Whoever wants the task may be inside a request; its listeners hear of later changes in no lane.
    entry.running ??= runInLane(undefined, () => this.#runInTurn(key, entry))
    return entry.running
  }

  async #runInTurn(key: string, entry: Entry): Promise<void> {
    await this.#slot()
    try {
      await this.#run(key, entry)
    } finally {
      this.#running--
      this.#queue.shift()?.()
      entry.running = undefined
      // Something may have changed between the last look and here.
      if (this.#entries.get(key) === entry && entry.timer === undefined && this.#due(entry))
        void this.#reconcile(key, entry)
    }
  }

  #due(entry: Entry): boolean {
    const session = this.#connection.session
    if (!entry.wanted) return true
    return session !== undefined && (entry.appliedOn !== session || entry.appliedVersion !== entry.version)
  }

  async #run(key: string, entry: Entry): Promise<void> {
    entry.timer = undefined
    while (this.#entries.get(key) === entry && this.#due(entry)) {
      const session = this.#connection.session
      if (!entry.wanted && (session === undefined || entry.triedOn !== session)) return this.#gone(key, entry)
      if (session === undefined) return
      try {
        if (entry.wanted) {
          const version = entry.version
          entry.triedOn = session
          await entry.task.apply(session)
          entry.appliedOn = session
          entry.appliedVersion = version
        } else {
          await entry.task.undo(session)
          entry.appliedOn = undefined
          if (!entry.wanted) return this.#gone(key, entry)
        }
        entry.failures = 0
      } catch (error) {
        if (session.ended || session !== this.#connection.session) continue
        const { redoIntervalMs, random } = this.#connection.options
        entry.timer = setTimeout(
          () => {
            entry.timer = undefined
            void this.#reconcile(key, entry)
          },
          backoffMs(entry.failures++, redoIntervalMs, MAX_PAUSE_MS, random, 'linear'),
        )
        if (!this.#connection.options.keepsProcess) entry.timer.unref()
        if (entry.wanted) entry.task.failed(error as LanewayError)
        return
      }
    }
  }

  #gone(key: string, entry: Entry): void {
    this.#entries.delete(key)
    for (const resolve of entry.whenGone.splice(0)) resolve()
  }

  #slot(): Promise<void> {
    this.#running++
    if (this.#running <= PARALLEL) return Promise.resolve()
    return new Promise(resolve => this.#queue.push(resolve))
  }
}
