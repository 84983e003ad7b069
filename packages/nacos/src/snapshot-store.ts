import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

/** What was last known of one key, for a start while the registry is down. */
export interface Stored<T> {
  /** ms since 1970. */
  readonly savedAt: number
  readonly value: T
}

/**
 * Keeps the latest JSON value of each key in a folder, one file a key. Writes of one key never overlap, and skip a
 * value that a newer one has replaced. A file is written aside and renamed, so that a killed process leaves the old or the
 * new one. Never rejects:
 * the first failure of the disk is reported to `warn`.
 */
export class SnapshotStore<T> {
  readonly #folder: string
  readonly #warn: (message: string) => void
  readonly #pending = new Map<string, { value: T; running: Promise<void> }>()
  #warned = false

  constructor(folder: string, warn: (message: string) => void) {
    this.#folder = folder
    this.#warn = warn
  }

  async load(key: string): Promise<Stored<T> | undefined> {
    try {
      const stored = JSON.parse(await readFile(this.#file(key), 'utf8')) as { key?: unknown } & Stored<T>
      // Two keys may share a file name after escaping on a file system that folds case.
      return stored.key === key && typeof stored.savedAt === 'number'
        ? { savedAt: stored.savedAt, value: stored.value }
        : undefined
    } catch {
      return undefined
    }
  }

  save(key: string, value: T): void {
    const pending = this.#pending.get(key)
    if (pending !== undefined) {
      pending.value = value
      return
    }
    const entry = { value, running: Promise.resolve() }
    this.#pending.set(key, entry)
    entry.running = this.#write(key, entry)
  }

  /** Resolves when everything saved is on disk. */
  async flush(): Promise<void> {
    while (this.#pending.size > 0) await Promise.all([...this.#pending.values()].map(({ running }) => running))
  }

  async #write(key: string, entry: { value: T }): Promise<void> {
    const file = this.#file(key)
    const aside = `${file}.${process.pid}.tmp`
    try {
      await mkdir(this.#folder, { recursive: true })
      for (let written: T | undefined; written !== entry.value; ) {
        written = entry.value
        await writeFile(aside, JSON.stringify({ key, savedAt: Date.now(), value: written }), { mode: 0o600 })
        await rename(aside, file)
      }
    } catch (error) {
      await rm(aside, { force: true }).catch(() => {})
      if (!this.#warned) this.#warn(`snapshots cannot be written to ${this.#folder}: ${(error as Error).message}`)
      this.#warned = true
    } finally {
      this.#pending.delete(key)
    }
  }

  #file(key: string): string {
    // Percent-encoding leaves no path separators, and a dot alone cannot be the name with the ending.
    return join(this.#folder, `${encodeURIComponent(key).slice(0, 200)}.json`)
  }
}
