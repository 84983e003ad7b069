import { type FSWatcher, statSync, watch } from 'node:fs'
import { stat } from 'node:fs/promises'
import { dirname } from 'node:path'

/** Quiet time after an event of a watch: editors write in several steps. */
const SETTLE_MS = 25
const NONE = 'none'

/** Options of {@link FileFollower}. */
export interface FileFollowerOptions {
  /**
   * How often the files are looked at, in milliseconds.
   * @default 1000: one `stat` per file, which sees the symbolic links that Kubernetes swaps under a ConfigMap
   */
  readonly intervalMs?: number
  /** Also watches the folders, to report a change within milliseconds. @default false, a watch costs a descriptor */
  readonly watch?: boolean
}

/**
 * Reports when files may have changed, however they are replaced: written in place, renamed over, or reached through a
 * symbolic link that is swapped, as the kubelet does with ConfigMaps (`..data`). Looking from time to time sees what no
 * watch sees: links into other folders, network file systems, a folder that does not exist yet. Keeps no process alive.
 */
export class FileFollower {
  #seen: Map<string, string>
  readonly #changed: () => unknown
  readonly #watches: boolean
  readonly #watchers = new Map<string, FSWatcher>()
  #settle: NodeJS.Timeout | undefined
  readonly #timer: NodeJS.Timeout
  #isLooking = false
  #isOwed = false
  #closed = false

  /**
   * @param changed - called when a file may have changed, appeared or gone. It returns `false` when it could not use what
   *   it found, and is then called again at the next look
   */
  constructor(files: readonly string[], changed: () => unknown, options: FileFollowerOptions = {}) {
    this.#changed = changed
    this.#watches = options.watch ?? false
    // At once: what changes before the first look would pass for what was there.
    this.#seen = new Map(files.map(file => [file, stampNow(file)]))
    this.#watchAll()
    this.#timer = setInterval(() => void this.#look(), options.intervalMs ?? 1000).unref()
  }

  /** Follows these files from now on. Those that were followed before keep their last look. */
  follow(files: readonly string[]): void {
    this.#seen = new Map(files.map(file => [file, this.#seen.get(file) ?? stampNow(file)]))
    this.#unwatchAll()
    this.#watchAll()
  }

  /** Takes the files as they are now for known. Call it before you read them by yourself. */
  refresh(): void {
    for (const file of this.#seen.keys()) this.#seen.set(file, stampNow(file))
    this.#isOwed = false
  }

  close(): void {
    this.#closed = true
    clearInterval(this.#timer)
    clearTimeout(this.#settle)
    this.#unwatchAll()
  }

  async #look(): Promise<void> {
    // A network file system may take longer than the interval.
    if (this.#isLooking) return
    this.#isLooking = true
    let isNews = this.#isOwed
    for (const [file, before] of [...this.#seen]) {
      const now = await stamp(file)
      if (now === before || this.#seen.get(file) !== before) continue
      this.#seen.set(file, now)
      isNews = true
      // A folder that was replaced leaves its watch behind.
      this.#unwatch(dirname(file))
    }
    this.#isLooking = false
    if (this.#closed) return
    this.#watchAll()
    if (!isNews) return
    if (this.#watches) this.#touched()
    else this.#report()
  }

  #touched(): void {
    if (this.#closed) return
    clearTimeout(this.#settle)
    this.#settle = setTimeout(() => this.#report(), SETTLE_MS).unref()
  }

  #report(): void {
    this.#isOwed = this.#changed() === false
  }

  #watchAll(): void {
    if (!this.#watches) return
    for (const file of this.#seen.keys()) {
      const folder = dirname(file)
      if (this.#watchers.has(folder)) continue
      try {
        const watcher = watch(folder, { persistent: false }, () => this.#touched())
        watcher.on('error', () => this.#unwatch(folder))
        this.#watchers.set(folder, watcher)
      } catch {
        // The folder is not there, or no watches are left: the next look tries again.
      }
    }
  }

  #unwatch(folder: string): void {
    this.#watchers.get(folder)?.close()
    this.#watchers.delete(folder)
  }

  #unwatchAll(): void {
    for (const folder of [...this.#watchers.keys()]) this.#unwatch(folder)
  }
}

/** Changes whenever the content may have: a renamed file has another inode, a rewritten one another time or size. */
function stampOf({ dev, ino, size, mtimeNs }: { dev: bigint; ino: bigint; size: bigint; mtimeNs: bigint }): string {
  return `${dev}:${ino}:${size}:${mtimeNs}`
}

async function stamp(file: string): Promise<string> {
  return stat(file, { bigint: true }).then(stampOf, () => NONE)
}

function stampNow(file: string): string {
  try {
    return stampOf(statSync(file, { bigint: true }))
  } catch {
    return NONE
  }
}
