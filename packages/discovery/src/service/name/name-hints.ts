import { LanewayError } from '@laneway/core'
import { BoundedMap, nearest, oncePerKey, type Warn } from '@laneway/core/internal'
import type { SourceCatalog } from '../source-catalog.js'

const MAX_SIMILAR = 256
const MAX_WARNED = 100

/** What the names that the sources list say about a name that was asked for. */
export class NameHints {
  readonly #catalog: SourceCatalog
  readonly #warn: Warn
  readonly #isFirst = oncePerKey(MAX_WARNED)
  /** Found once per list of names: each failed request asks. */
  readonly #similar = new BoundedMap<string, string | null>(MAX_SIMILAR)
  readonly #nearest = (name: string) => nearest(name, this.#catalog.names()) ?? null

  constructor(catalog: SourceCatalog, warn: Warn) {
    this.#catalog = catalog
    this.#warn = warn
  }

  /** A listed name that looks like this one. */
  similar(name: string): string | undefined {
    return this.#similar.of(name, this.#nearest) ?? undefined
  }

  /** Whether several listed services have this key. Warns once per key. */
  isAmbiguous(key: string): boolean {
    const ambiguity = this.#catalog.ambiguity(key)
    if (ambiguity === undefined) return false
    if (this.#isFirst(key)) {
      const worded = (option: string) =>
        `${ambiguity.source} lists ${ambiguity.names.join(' and ')}, which a host name cannot tell apart: ` +
        `none of them is resolved; declare the one you mean in ${option}`
      this.#warn(worded('services, or give it a host in aliases'), { kind: 'option', option: 'services', worded })
    }
    return true
  }

  /** The lists of names have changed. */
  forget(): void {
    this.#similar.clear()
  }
}

/** The error about declared services whose names differ by case only. */
export function differByCase(names: readonly string[]): LanewayError {
  return new LanewayError(
    'LANEWAY_INVALID_OPTION',
    `the services ${names.join(' and ')} differ only by case, which a host name cannot tell apart; use aliases for one of them`,
  )
}
