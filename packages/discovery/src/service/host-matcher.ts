import type { ServiceEntry } from './service-entry.js'

/** Hosts remembered per generation: more than a service calls, little enough to mean nothing in memory. */
const GENERATION = 1024
/** No host name is longer. */
const MAX_HOST = 255

/**
 * Remembers which service a host names. Two generations bound it, so hosts from the network cannot make it grow; a hit
 * is one look-up.
 */
export class HostMatcher {
  readonly #judge: (hostname: string) => ServiceEntry | undefined
  #young = new Map<string, ServiceEntry | null>()
  #old = new Map<string, ServiceEntry | null>()

  /** @param judge - decides about a host that is not remembered */
  constructor(judge: (hostname: string) => ServiceEntry | undefined) {
    this.#judge = judge
  }

  match(hostname: string): ServiceEntry | undefined {
    const known = this.#young.get(hostname)
    if (known !== undefined) return known ?? undefined
    return this.#rare(hostname)
  }

  /** Services came or went: every host is judged again. */
  forget(): void {
    this.#young.clear()
    this.#old.clear()
  }

  /** Entries held, for the test that bounds them. */
  get size(): number {
    return this.#young.size + this.#old.size
  }

  #rare(hostname: string): ServiceEntry | undefined {
    if (typeof hostname !== 'string' || hostname.length > MAX_HOST) return undefined
    let known = this.#old.get(hostname)
    if (known === undefined) known = this.#judge(hostname) ?? null
    if (this.#young.size >= GENERATION) {
      this.#old = this.#young
      this.#young = new Map()
    }
    this.#young.set(hostname, known)
    return known ?? undefined
  }
}
