import { LanewayError } from '@laneway/core'
import type { EndpointInput, SourceListener } from '@laneway/discovery'
import type { NamingListener } from '../naming/naming.js'
import type { ServiceInfo } from '../naming/service-info.js'
import type { SnapshotStore } from '../snapshot-store.js'

/** A full list, as a source reports it. */
export type EndpointList = readonly EndpointInput[]

export interface SourceSubscriptionOptions {
  readonly listener: SourceListener
  /**
   * Starts the time within which instances may come back after a reconnect, and returns a function that ends it without
   * calling `ended`. `undefined`: there is no such time.
   */
  readonly startGrace: ((ended: () => void) => () => void) | undefined
  readonly toEndpoints: (info: ServiceInfo) => EndpointList
  readonly store: SnapshotStore<EndpointList> | undefined
  /** Called when the first list of a session is empty, and when a list becomes empty. */
  readonly emptied: () => void
}

/** Turns the lists of one service, as the server sends them, into the reports of a source. */
export class SourceSubscription implements NamingListener {
  /** Name of the stored snapshot. */
  key = ''
  stop: () => void = () => {}
  readonly #options: SourceSubscriptionOptions
  /** What was reported last, by address. */
  #known = new Map<string, EndpointInput>()
  /** The last list of the server, by address. */
  #listed = new Map<string, EndpointInput>()
  /** Known before the connection was lost, and in every list since. */
  #covered = new Set<string>()
  /** Known before the connection was lost, and missing in the present list. */
  #missed = new Map<string, EndpointInput>()
  #settled = new Map<string, Settled>()
  #session = 0
  #hasReported = false
  #loading = false
  #stopGrace: (() => void) | undefined
  #closed = false

  constructor(options: SourceSubscriptionOptions) {
    this.#options = options
  }

  info(info: ServiceInfo, session: number): void {
    if (this.#closed) return
    const { startGrace, toEndpoints } = this.#options
    this.#listed = this.#byAddress(toEndpoints(info))
    const isFirst = session !== this.#session
    if (isFirst) {
      this.#session = session
      this.#haltGrace()
      this.#missed.clear()
      this.#covered = new Set(startGrace === undefined ? [] : this.#known.keys())
    }
    this.#cover()
    if (this.#covered.size + this.#missed.size > 0) this.#stopGrace ??= startGrace?.(() => this.#endGrace())
    this.#report(isFirst)
  }

  lost(error: LanewayError): void {
    if (this.#closed) return
    // Pauses the grace period while disconnected.
    this.#haltGrace()
    if (!this.#hasReported && !this.#loading && this.#options.store !== undefined) void this.#load(error)
    else this.#options.listener.stale(error)
  }

  close(): void {
    this.#closed = true
    this.#haltGrace()
    this.stop()
  }

  /**
   * After a reconnect the server lists the instances of old connections until it drops these, which may be before the
   * instances have registered on new ones. Ignores the first absence of each instance; drops it on the second.
   */
  #cover(): void {
    for (const address of this.#listed.keys()) this.#missed.delete(address)
    for (const address of this.#covered) {
      if (this.#listed.has(address)) continue
      this.#covered.delete(address)
      this.#missed.set(address, this.#known.get(address)!)
    }
  }

  #haltGrace(): void {
    this.#stopGrace?.()
    this.#stopGrace = undefined
  }

  #endGrace(): void {
    this.#stopGrace = undefined
    this.#covered.clear()
    if (this.#missed.size === 0) return
    this.#missed.clear()
    this.#report()
  }

  #report(isFirst = false): void {
    const hadInstances = this.#known.size > 0
    this.#known = this.#missed.size === 0 ? this.#listed : new Map([...this.#missed, ...this.#listed])
    this.#hasReported = true
    const endpoints = [...this.#known.values()]
    this.#options.listener.snapshot(endpoints)
    this.#options.store?.save(this.key, endpoints)
    if (endpoints.length === 0 && (isFirst || hadInstances)) this.#options.emptied()
  }

  /** Nacos is down and this process knows nothing yet, so it uses what an earlier process has stored. */
  async #load(error: LanewayError): Promise<void> {
    this.#loading = true
    const stored = await this.#options.store?.load(this.key)
    if (this.#closed || this.#hasReported) return
    const { listener } = this.#options
    if (stored === undefined || !Array.isArray(stored.value)) {
      listener.stale(error)
      return
    }
    this.#hasReported = true
    this.#known = this.#byAddress(stored.value)
    listener.snapshot([...this.#known.values()])
    const seconds = Math.round((Date.now() - stored.savedAt) / 1000)
    listener.stale(
      new LanewayError('LANEWAY_NACOS_UNAVAILABLE', `using a snapshot ${seconds} s old: ${error.message}`, {
        cause: error,
      }),
    )
  }

  /**
   * An address may be listed twice: by a connection that is about to expire, and by its successor. The entry with the new
   * lanes wins. Where neither was seen before and their lanes differ, both are refused: an endpoint in the wrong lane is
   * worse than none.
   */
  #byAddress(endpoints: EndpointList): Map<string, EndpointInput> {
    const found = new Map<string, EndpointInput>()
    const settled = new Map<string, Settled>()
    for (const endpoint of endpoints) {
      const address = `${endpoint.host}:${endpoint.port}`
      const other = found.get(address)
      const lanes = lanesOf(endpoint)
      if (other === undefined || lanesOf(other) === lanes) {
        found.set(address, endpoint)
        settled.set(address, { lanes, replaced: undefined })
        continue
      }
      const replaced = replacedOf(this.#settled.get(address), lanesOf(other), lanes)
      if (replaced === undefined) {
        // Outside the grammar of tags, so that the endpoint is refused with this text.
        found.set(address, { ...endpoint, tags: [`registered twice: ${lanesOf(other)} / ${lanes}`] })
        settled.delete(address)
      } else {
        const newer = replaced === lanesOf(other) ? endpoint : other
        found.set(address, newer)
        settled.set(address, { lanes: lanesOf(newer), replaced })
      }
    }
    this.#settled = settled
    return found
  }
}

/** The lanes that were last reported for an address, and the lanes they replaced while both are listed. */
interface Settled {
  readonly lanes: string
  readonly replaced: string | undefined
}

function replacedOf(before: Settled | undefined, one: string, other: string): string | undefined {
  if (before === undefined) return undefined
  if (before.replaced === one || before.replaced === other) return before.replaced
  return before.lanes === one || before.lanes === other ? before.lanes : undefined
}

function lanesOf({ tags = [] }: EndpointInput): string {
  // Almost all instances have no lane or one.
  return tags.length < 2 ? (tags[0] ?? '') : [...tags].sort().join(',')
}
