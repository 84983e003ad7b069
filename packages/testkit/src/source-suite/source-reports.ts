import type { EndpointInput, SourceListener } from '@laneway/discovery'

/** Far beyond any progress, and within the time that a test file has. */
const LIMIT_MS = 300_000

/** What a source has reported to one subscriber, and a way to wait for more. */
export class SourceReports {
  /** Every report in its order. */
  readonly kinds: ('snapshot' | 'missing' | 'stale')[] = []
  readonly snapshots: (readonly EndpointInput[])[] = []
  readonly errors: Error[] = []
  /** Of the last snapshot; empty after `missing`. */
  endpoints: readonly EndpointInput[] = []
  readonly #waiting = new Set<() => void>()

  /** For `source.subscribe`. */
  readonly listener: SourceListener = {
    snapshot: endpoints => {
      this.snapshots.push(endpoints)
      this.endpoints = endpoints
      this.#add('snapshot')
    },
    missing: () => {
      this.endpoints = []
      this.#add('missing')
    },
    stale: error => {
      this.errors.push(error)
      this.#add('stale')
    },
  }

  /** The last report. */
  get last(): string | undefined {
    return this.kinds.at(-1)
  }

  /** `10.0.0.1:80=gray` for each endpoint, in the order of their addresses; several tags are joined by `+`. */
  get table(): string {
    return tableOf(this.endpoints)
  }

  /**
   * Resolves as soon as `holds` is true; it is asked now and after each report. The wait keeps the process alive.
   *
   * @param what - named by the error when nothing comes for five minutes, beside what was reported
   */
  async until(holds: (reports: SourceReports) => boolean, what = `${holds}`): Promise<this> {
    const since = Date.now()
    while (!holds(this)) {
      if (Date.now() - since > LIMIT_MS) throw new Error(`waited for ${what}; ${this.#summary()}`)
      let timer: NodeJS.Timeout | undefined
      await new Promise<void>(resolve => {
        this.#waiting.add(resolve)
        timer = setTimeout(resolve, 1000)
      })
      clearTimeout(timer)
    }
    return this
  }

  /** Waits for a snapshot with this {@link table}, which is also the last report. */
  untilTable(table: string): Promise<this> {
    return this.until(one => one.last === 'snapshot' && one.table === table, `the table "${table}"`)
  }

  #summary(): string {
    const error = this.errors.at(-1)?.message ?? 'none'
    return `reports: ${this.kinds.join(', ') || 'none'}; last table: "${this.table}"; last error: ${error}`
  }

  #add(kind: 'snapshot' | 'missing' | 'stale'): void {
    this.kinds.push(kind)
    for (const wake of this.#waiting) wake()
    this.#waiting.clear()
  }
}

/** See {@link SourceReports.table}. */
export function tableOf(endpoints: readonly EndpointInput[]): string {
  return endpoints
    .map(one => `${one.host}:${one.port}=${[...(one.tags ?? [])].sort().join('+') || 'base'}`)
    .sort()
    .join(' ')
}

/** Waits for progress that nobody reports: asks again and again until `holds` is true, for five minutes at most. */
export async function eventually(holds: () => boolean): Promise<void> {
  const since = Date.now()
  while (!holds()) {
    if (Date.now() - since > LIMIT_MS) throw new Error(`waited for ${holds}`)
    await new Promise(resolve => setTimeout(resolve, 2))
  }
}
