import { type FSWatcher, type Stats, statSync, watch } from 'node:fs'
import { stat } from 'node:fs/promises'
import { dirname } from 'node:path'

/** Quiet time after a change before the file is read: editors write in several steps. */
const SETTLE_MS = 25
const NONE = 'none'

/**
 * Tells when a file may have changed, however it is replaced: written in place, renamed over, or reached through a
 * symbolic link that is swapped, as the kubelet does with ConfigMaps (`..data`). The directory is watched for speed,
 * and the file is looked at from time to time for what no watch sees: links into other directories, network file
 * systems, a directory that does not exist yet. Holds no process open.
 */
export class FileWatch {
  readonly #path: string
  readonly #changed: () => void
  #watcher: FSWatcher | undefined
  #settle: NodeJS.Timeout | undefined
  readonly #poll: NodeJS.Timeout
  #seen: string
  #closed = false

  constructor(path: string, pollMs: number, changed: () => void) {
    this.#path = path
    this.#changed = changed
    // At once: what changes before the first look would pass for what was there.
    this.#seen = fingerprintNow(path)
    this.#watch()
    this.#poll = setInterval(() => void this.#look(), pollMs)
    this.#poll.unref()
  }

  close(): void {
    this.#closed = true
    this.#watcher?.close()
    clearInterval(this.#poll)
    clearTimeout(this.#settle)
  }

  #watch(): void {
    try {
      this.#watcher = watch(dirname(this.#path), { persistent: false }, () => this.#touched())
      this.#watcher.on('error', () => this.#unwatch())
    } catch {
      // The directory is not there, or there are no watches left: the poll goes on, and tries again.
      this.#watcher = undefined
    }
  }

  #unwatch(): void {
    this.#watcher?.close()
    this.#watcher = undefined
  }

  #touched(): void {
    if (this.#closed) return
    clearTimeout(this.#settle)
    this.#settle = setTimeout(this.#changed, SETTLE_MS)
    this.#settle.unref()
  }

  async #look(): Promise<void> {
    const seen = await stat(this.#path).then(fingerprint, () => NONE)
    if (this.#closed) return
    if (this.#watcher === undefined) this.#watch()
    if (this.#seen !== seen) {
      // A directory that was replaced leaves its watch behind.
      this.#unwatch()
      this.#watch()
      this.#touched()
    }
    this.#seen = seen
  }
}

function fingerprintNow(path: string): string {
  try {
    return fingerprint(statSync(path))
  } catch {
    return NONE
  }
}

function fingerprint(stats: Stats): string {
  return `${stats.dev}:${stats.ino}:${stats.size}:${stats.mtimeMs}`
}
