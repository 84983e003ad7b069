import type { EndpointInput } from '../endpoint/endpoint.js'
import type { ServiceEntry } from './service-entry.js'
import type { SourceCatalog } from './source-catalog.js'
import type { SourceHub } from './source-hub.js'

/** The last report of a source, while no source owns the service. */
type Report =
  | { readonly kind: 'snapshot'; readonly endpoints: readonly EndpointInput[] }
  | { readonly kind: 'missing' }
  | { readonly kind: 'stale'; readonly error: Error }

interface Contender {
  readonly name: string
  stop: () => void
  report: Report | undefined
}

/**
 * Connects a service to the source that owns it: the first that lists it, or, where sources cannot list, the first that
 * has endpoints of it. The owner keeps the service while it is down; only when it says that there is no such service
 * may another take it.
 */
export class ServiceFeed {
  readonly #entry: ServiceEntry
  readonly #hubs: readonly SourceHub[]
  readonly #catalog: SourceCatalog
  readonly #sourceName: string
  readonly #contenders: (Contender | undefined)[]
  #owner: number | undefined
  #impatient = false
  #electing = false
  #closed = false

  constructor(entry: ServiceEntry, hubs: readonly SourceHub[], catalog: SourceCatalog, sourceName: string) {
    this.#entry = entry
    this.#hubs = hubs
    this.#catalog = catalog
    this.#sourceName = sourceName
    this.#contenders = hubs.map(() => undefined)
  }

  get owned(): boolean {
    return this.#owner !== undefined
  }

  /** Looks for an owner, unless there is one. */
  elect(): void {
    // The election that is under way takes the reports of sources that answer at once.
    if (this.#closed || this.#electing || this.#owner !== undefined) return
    this.#electing = true
    const winner = this.#winner()
    this.#electing = false
    if (winner === 'undecided') return
    if (winner === undefined) this.#passOn()
    else this.#own(winner)
  }

  #winner(): number | 'undecided' | undefined {
    for (let index = 0; index < this.#hubs.length; index++) {
      if (this.#claims(index)) return index
      // A source before the others that has not spoken yet may still claim it.
      if (this.#impatient || !this.#isUndecided(index)) continue
      // Meanwhile the others are asked, so that their answer is there when it is given up.
      if (this.#entry.wanted) this.#askFrom(index + 1)
      return 'undecided'
    }
    return undefined
  }

  #askFrom(index: number): void {
    for (let other = index; other < this.#hubs.length; other++) {
      if (this.#contenders[other] === undefined) this.#subscribe(other)
    }
  }

  /** Stops waiting for sources that say nothing. */
  loseHope(): void {
    this.#impatient = true
    this.elect()
  }

  /** A source has a new list. */
  listed(index: number): void {
    if (this.#closed) return
    const contender = this.#contenders[index]
    if (contender !== undefined && contender.name !== this.#nameAt(index)) this.#subscribe(index)
    this.elect()
  }

  /** Whether the owner has a list, and the service is not on it. */
  get unlisted(): boolean {
    const owner = this.#owner
    if (owner === undefined) return !this.#catalog.isListed(this.#entry.key)
    return this.#catalog.isKnown(owner) && this.#catalog.spellings(owner, this.#entry.key).length === 0
  }

  /** Whether the sources have answered: the owner, or all of them while there is none. */
  get answered(): boolean {
    if (this.#owner !== undefined) return this.#hasAnswered(this.#owner)
    return this.#hubs.every((_, index) => this.#hasAnswered(index))
  }

  /** An empty list says nothing before the list of names: the source may know the service by another spelling. */
  #hasAnswered(index: number): boolean {
    const report = this.#contenders[index]?.report
    if (report === undefined) return false
    if (report.kind === 'stale' || (report.kind === 'snapshot' && report.endpoints?.length !== 0)) return true
    return !this.#catalog.isPending(index)
  }

  close(): void {
    this.#closed = true
    for (let index = 0; index < this.#contenders.length; index++) this.#release(index)
  }

  #claims(index: number): boolean {
    if (this.#catalog.spellings(index, this.#entry.key).length > 0) return true
    if (!this.#entry.wanted) return false
    // The only source is the owner, whatever it says.
    if (this.#hubs.length === 1) return true
    if (this.#contenders[index] === undefined) this.#subscribe(index)
    const report = this.#contenders[index]?.report
    return report?.kind === 'snapshot' && report.endpoints.length > 0
  }

  #isUndecided(index: number): boolean {
    if (this.#catalog.isKnown(index)) return false
    if (!this.#entry.wanted) return this.#catalog.isPending(index)
    return this.#contenders[index]?.report === undefined
  }

  #own(index: number): void {
    this.#owner = index
    this.#entry.owner = this.#hubs[index]!.source
    for (let other = 0; other < this.#contenders.length; other++) if (other !== index) this.#release(other)
    const contender = this.#contenders[index]
    if (contender === undefined || contender.name !== this.#nameAt(index)) this.#subscribe(index)
    else if (contender.report !== undefined) this.#deliver(contender.report)
  }

  /** The name to ask a source for: as it lists it, else as the user wrote it. */
  #nameAt(index: number): string {
    const spellings = this.#catalog.spellings(index, this.#entry.key)
    return spellings.includes(this.#sourceName) ? this.#sourceName : (spellings[0] ?? this.#sourceName)
  }

  #subscribe(index: number): void {
    const name = this.#nameAt(index)
    const contender: Contender = { name, stop: () => {}, report: undefined }
    const before = this.#contenders[index]
    this.#contenders[index] = contender
    const hear = (report: Report): void => {
      if (this.#closed || this.#contenders[index] !== contender) return
      contender.report = report
      if (this.#owner === index) this.#deliver(report)
      else this.elect()
    }
    const stop = this.#hubs[index]!.subscribe(name, {
      snapshot: endpoints => hear({ kind: 'snapshot', endpoints }),
      missing: () => hear({ kind: 'missing' }),
      stale: error => hear({ kind: 'stale', error }),
    })
    contender.stop = stop
    before?.stop()
    // Released while it was being made.
    if (this.#contenders[index] !== contender) stop()
  }

  #release(index: number): void {
    const contender = this.#contenders[index]
    this.#contenders[index] = undefined
    contender?.stop()
  }

  #deliver(report: Report): void {
    if (report.kind === 'snapshot') this.#entry.apply(report.endpoints)
    else if (report.kind === 'stale') this.#entry.stale(report.error)
    else {
      this.#entry.missing()
      this.#moveOn()
    }
  }

  /** The owner does not have the service any more: another source may. */
  #moveOn(): void {
    const { key } = this.#entry
    const owner = this.#owner!
    if (this.#hubs.length === 1 || this.#catalog.spellings(owner, key).length > 0) return
    this.#owner = undefined
    this.elect()
  }

  /** Nobody claims it: an empty list is passed on if there is one, else why there is none. Any source may claim it yet. */
  #passOn(): void {
    const rank = ['snapshot', 'missing', 'stale']
    let best: Report | undefined
    for (let index = 0; index < this.#contenders.length; index++) {
      const report = this.#contenders[index]?.report
      if (report === undefined) continue
      if (best !== undefined && rank.indexOf(best.kind) <= rank.indexOf(report.kind)) continue
      best = report
      this.#entry.owner = this.#hubs[index]!.source
    }
    if (best?.kind === 'snapshot') this.#entry.apply(best.endpoints)
    else if (best?.kind === 'stale') this.#entry.stale(best.error)
    else if (best?.kind === 'missing' && this.#entry.status !== 'missing') this.#entry.missing()
  }
}
