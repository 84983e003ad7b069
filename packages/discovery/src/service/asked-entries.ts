import type { ServiceEntry } from './service-entry.js'

/**
 * Services at a time that only host names asked for. A process calls fewer hosts of one label; beyond, names that are not
 * known go to DNS.
 */
const MAX_ASKED = 256

/** Entries that only a host name asked for, the oldest first. */
export class AskedEntries {
  readonly #entries = new Set<ServiceEntry>()

  add(entry: ServiceEntry): void {
    this.#entries.add(entry)
  }

  delete(entry: ServiceEntry): void {
    this.#entries.delete(entry)
  }

  /**
   * Makes room for another entry.
   *
   * @param remove - called with the oldest that is neither waited for nor found
   * @returns `false` while all of them are waited for, or have endpoints
   */
  makeRoom(remove: (entry: ServiceEntry) => void): boolean {
    if (this.#entries.size < MAX_ASKED) return true
    for (const entry of this.#entries) {
      if (entry.awaited || entry.found) continue
      remove(entry)
      return true
    }
    return false
  }
}

/** Whether the URL standard reads a host as an IPv4 address: `10` is 0.0.0.10. */
export function isIpv4Number(host: string): boolean {
  return /^(\d+|0x[\da-f]*)$/.test(host)
}
