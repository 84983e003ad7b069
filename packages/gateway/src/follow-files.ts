import { statSync } from 'node:fs'

/** How often files are looked at: `stat` sees the symbolic links that Kubernetes swaps under a ConfigMap, a watch does not. */
const INTERVAL_MS = 1000

/** Calls back when one of several files may have changed. Keeps no process alive. */
export class FollowedFiles {
  #stamps = new Map<string, string>()
  readonly #timer: NodeJS.Timeout

  constructor(files: readonly string[], changed: () => void, intervalMs = INTERVAL_MS) {
    this.follow(files)
    this.#timer = setInterval(() => {
      let news = false
      for (const [file, stamp] of this.#stamps) {
        const now = stampOf(file)
        if (now === stamp) continue
        this.#stamps.set(file, now)
        news = true
      }
      if (news) changed()
    }, intervalMs).unref()
  }

  /** From now on these, as they are now. */
  follow(files: readonly string[]): void {
    this.#stamps = new Map(files.map(file => [file, this.#stamps.get(file) ?? stampOf(file)]))
  }

  close(): void {
    clearInterval(this.#timer)
  }
}

function stampOf(file: string): string {
  try {
    const { ino, size, mtimeNs } = statSync(file, { bigint: true })
    return `${ino}:${size}:${mtimeNs}`
  } catch {
    // Gone for a moment, while it is replaced.
    return ''
  }
}
