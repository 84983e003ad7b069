import { BoundedMap } from '@laneway/core/internal'
import type { ServiceEntry } from '../service-entry.js'

/** Hosts remembered: more than a service calls, little enough to mean nothing in memory. */
const MAX_HOSTS = 2048
/** No host name is longer. */
const MAX_HOST_LENGTH = 255

/** Remembers which service a host names, for hosts that come from the network. A hit is one look-up. */
export class HostMatcher {
  /** Counted up when a host or a service name may mean something else than before: handles look again. */
  readonly names = { version: 0 }
  readonly #judge: (hostname: string) => ServiceEntry | null
  readonly #known = new BoundedMap<string, ServiceEntry | null>(MAX_HOSTS)

  /** @param judge - decides about a host that is not remembered */
  constructor(judge: (hostname: string) => ServiceEntry | undefined) {
    this.#judge = hostname => judge(hostname) ?? null
  }

  match(hostname: string): ServiceEntry | undefined {
    // A longer text is no host, and must not fill the memory.
    if (typeof hostname !== 'string' || hostname.length > MAX_HOST_LENGTH) return undefined
    return this.#known.of(hostname, this.#judge) ?? undefined
  }

  /** Services came or went: every host is judged again. */
  forget(): void {
    this.names.version++
    this.#known.clear()
  }

  /** Entries held, for the test that bounds them. */
  get size(): number {
    return this.#known.size
  }
}
