import { runInLane } from '@laneway/core'
import { createRandom } from '../balancer/random.js'
import type { ResolvedLaneResolverOptions } from '../resolver-options.js'
import { compilePolicies } from '../table/lane-policy.js'
import { CallerZones } from '../zone/caller-zones.js'
import { ZonePlan } from '../zone/zone-plan.js'
import { AbsentNames } from './absent-names.js'
import type { HostFacts, RegistryHooks } from './host-facts.js'
import { HostMatcher } from './host-matcher.js'
import { differByCase, NameHints } from './name-hints.js'
import { type EntrySettings, ServiceEntry } from './service-entry.js'
import { ServiceFeed } from './service-feed.js'
import { ServiceNaming } from './service-name.js'
import { SourceCatalog } from './source-catalog.js'
import type { SourceHub } from './source-hub.js'

/**
 * Services at a time that only host names asked for. A process calls fewer hosts of one label; beyond, names that are not
 * known go to DNS.
 */
const MAX_ASKED = 256

/** A host that the URL standard reads as an IPv4 address: `10` is 0.0.0.10. */
const IPV4_NUMBER = /^(\d+|0x[\da-f]*)$/

interface Served {
  readonly entry: ServiceEntry
  readonly feed: ServiceFeed
}

/** The services of a resolver: which names they have, and which sources feed them. */
export class ServiceRegistry {
  readonly #options: ResolvedLaneResolverOptions
  readonly #hubs: readonly SourceHub[]
  readonly #naming: ServiceNaming
  readonly #catalog: SourceCatalog
  readonly #settings: Omit<EntrySettings, 'service' | 'policies' | 'anyUses'>
  readonly #policiesOf: ReturnType<typeof compilePolicies>
  readonly #byKey = new Map<string, Served>()
  readonly #byName = new Map<string, ServiceEntry>()
  /** Hosts under which declared services are called, whole. */
  readonly #declaredHosts = new Set<string>()
  readonly #hosts: HostMatcher
  readonly #absent = new AbsentNames(() => this.#hosts.forget())
  /** Entries that only a host name asked for, the oldest first. */
  readonly #asked = new Set<ServiceEntry>()
  readonly #hints: NameHints
  readonly #changed: () => void
  readonly #callers: CallerZones
  /** Runs while sources that say nothing are waited for. */
  #patience: NodeJS.Timeout | undefined
  #closed = false

  constructor(options: ResolvedLaneResolverOptions, hubs: readonly SourceHub[], hooks: RegistryHooks) {
    this.#options = options
    this.#hubs = hubs
    this.#naming = new ServiceNaming(options)
    this.#catalog = new SourceCatalog(hubs, this.#naming)
    this.#hints = new NameHints(this.#catalog, options.warn)
    this.#hosts = new HostMatcher(hostname => this.#judge(hostname))
    const { warn, baseEmpty, allowLinkLocal } = options
    this.#changed = hooks.changed
    this.#callers = new CallerZones(options.zone.callers, name => this.get(name))
    this.#settings = {
      ...options.balance,
      ...hooks,
      changed: entry => this.#sourceReported(entry),
      zones: new ZonePlan(options.zone, () => this.#callers.weights),
      warn,
      baseEmpty,
      allowLinkLocal,
      random: createRandom(options.random),
    }
    this.#policiesOf = compilePolicies(options.policies, options, name => this.#naming.keyOf(name))
  }

  /** Declares what the options name, and begins to listen to the sources. */
  start(): void {
    // A source that says nothing must not keep later ones from their services; half the time leaves `ready` the rest.
    this.#patience = setTimeout(() => {
      this.#patience = undefined
      for (const { feed } of this.#byKey.values()) feed.loseHope()
    }, this.#options.readyTimeoutMs / 2)
    this.#patience.unref()
    this.#catalog.start(index => this.#listed(index), this.#options.services.length > 0)
    if (this.#callers.service !== undefined) this.declare(this.#callers.service)
    for (const service of this.#options.services) this.declare(service)
    for (const service of this.#options.aliases.values()) this.declare(service)
  }

  get(name: string): ServiceEntry | undefined {
    if (typeof name !== 'string') return undefined
    return this.#byName.get(name) ?? this.#byKey.get(this.#naming.keyOf(name))?.entry
  }

  /** The entry under its canonical name: one look-up. */
  getCanonical(name: string): ServiceEntry | undefined {
    return this.#byName.get(name)
  }

  /** A listed name that looks like this one, which is not listed. */
  similar(name: string): string | undefined {
    return this.#catalog.isListed(this.#naming.keyOf(name)) ? undefined : this.#hints.similar(name)
  }

  entries(): Iterable<ServiceEntry> {
    return this.#byName.values()
  }

  /** The service that a host names, whether or not a port goes with it. */
  match(hostname: string): ServiceEntry | undefined {
    return this.#hosts.match(hostname)
  }

  /** What is known about a host that could be a service; `undefined` for other hosts. Asks no source. */
  factsOf(hostname: string): HostFacts | undefined {
    const question = this.#naming.question(hostname)
    if (question === undefined || this.#closed) return undefined
    const { key, host, serviceForm } = question
    const alias = this.#options.aliases.get(host)
    const entry = alias === undefined ? this.#byKey.get(key)?.entry : this.get(alias)
    if (entry?.declared !== true && (!serviceForm || this.#hints.isAmbiguous(key))) return undefined
    const empty = entry?.table?.members.length === 0 || entry?.status === 'missing'
    return { entry, absent: empty || this.#absent.has(key), name: entry?.name ?? key }
  }

  get rememberedHosts(): number {
    return this.#hosts.size
  }

  /**
   * Declares a service: it is subscribed, and waited for.
   * @throws LanewayError `LANEWAY_INVALID_OPTION` when a declared service differs by case only
   */
  declare(name: string): ServiceEntry {
    const key = this.#naming.keyOf(name)
    const sourceName = this.#naming.sourceNameOf(name)
    const known = this.#byKey.get(key)
    const tellsCaseApart = this.#hubs.some(hub => hub.source.caseInsensitive === false)
    if (known?.entry.declared && known.entry.name !== sourceName && tellsCaseApart) {
      if (name !== name.toLowerCase()) throw differByCase([known.entry.name, sourceName])
    }
    this.#declaredHosts.add(name.toLowerCase().replace(/\.$/, ''))
    // The namespace may be left out or written: of a declared service both are the whole name.
    if (!key.includes('.')) this.#declaredHosts.add(`${key}.${this.#options.namespace}`)
    this.#hosts.forget()
    if (known === undefined || this.#replaces(known.entry, sourceName)) return this.#add(key, sourceName, 'declared')
    known.entry.declared = true
    known.entry.awaited = false
    this.#keep(known.entry)
    known.feed.elect()
    return known.entry
  }

  /** Waits no longer for sources that say nothing about a service. */
  loseHope(entry: ServiceEntry): void {
    entry.awaited = false
    this.#byKey.get(entry.key)?.feed.loseHope()
  }

  close(): void {
    this.#closed = true
    clearTimeout(this.#patience)
    this.#catalog.stop()
    this.#absent.clear()
    for (const { entry, feed } of this.#byKey.values()) {
      feed.close()
      entry.close()
    }
    this.#hosts.forget()
  }

  #add(key: string, name: string, why: 'declared' | 'listed' | 'asked'): ServiceEntry {
    const settings = { ...this.#settings, service: name, policies: this.#policiesOf(key), anyUses: { count: 0 } }
    const entry = new ServiceEntry(key, why === 'declared', settings)
    const feed = new ServiceFeed(entry, this.#hubs, this.#catalog, name)
    entry.awaited = why !== 'declared'
    entry.asked = why === 'asked'
    if (entry.asked) this.#asked.add(entry)
    this.#byKey.set(key, { entry, feed })
    this.#byName.set(name, entry)
    if (this.#patience === undefined) feed.loseHope()
    else feed.elect()
    return entry
  }

  #judge(hostname: string): ServiceEntry | undefined {
    const question = this.#naming.question(hostname)
    if (question === undefined) return undefined
    const alias = this.#options.aliases.get(question.host)
    if (alias !== undefined) return this.get(alias)
    const served = this.#byKey.get(question.key)
    const declared = served?.entry.declared === true
    if (declared && (question.serviceForm || this.#declaredHosts.has(question.host))) return served.entry
    // A registry entry must not take over loopback.
    if (!question.serviceForm || question.key === 'localhost' || question.key.endsWith('.localhost')) return undefined
    if (this.#closed || this.#hints.isAmbiguous(question.key)) return undefined
    if (served !== undefined) return served.entry
    // The request at hand may be in a lane; the subscription outlives it and belongs to none.
    return runInLane(undefined, () =>
      this.#catalog.isListed(question.key) ? this.#addListed(question.key) : this.#ask(question.key),
    )
  }

  /** A name that could be a service and is not known: the sources are asked, and the call waits for their answer. */
  #ask(key: string): ServiceEntry | undefined {
    if (this.#absent.has(key) || IPV4_NUMBER.test(key)) return undefined
    if (this.#asked.size >= MAX_ASKED && !this.#dropOldest()) return undefined
    this.#add(key, key, 'asked')
    // Sources that answer at once may have said that there is no such service.
    return this.#byKey.get(key)?.entry
  }

  /** @returns `false` while all of them are waited for, or have endpoints */
  #dropOldest(): boolean {
    for (const entry of this.#asked) {
      if (entry.awaited || entry.found) continue
      this.#remove(entry)
      this.#hosts.forget()
      return true
    }
    return false
  }

  /** A source has reported on a service. */
  #sourceReported(entry: ServiceEntry): void {
    this.#settle(entry)
    if (this.#callers.moved(entry)) for (const { entry: each } of this.#byKey.values()) each.callersChanged()
    this.#changed()
  }

  /** Ends the wait for a service once the sources have answered. */
  #settle(entry: ServiceEntry): void {
    const { feed } = this.#byKey.get(entry.key) ?? {}
    const { status, table, error } = entry
    if (feed === undefined || (table === undefined && status !== 'missing' && error === undefined)) return
    if (!feed.answered) return
    entry.awaited = false
    if (!entry.asked || status !== 'missing') return
    this.#remove(entry)
    this.#absent.add(entry.key)
    this.#hosts.forget()
  }

  #remove(entry: ServiceEntry): void {
    this.#byKey.get(entry.key)?.feed.close()
    entry.close()
    entry.awaited = false
    this.#asked.delete(entry)
    this.#byKey.delete(entry.key)
    this.#byName.delete(entry.name)
  }

  /** A source lists the service, or somebody declared it. */
  #keep(entry: ServiceEntry): void {
    entry.asked = false
    this.#asked.delete(entry)
  }

  /** An entry that was asked for in lower case gives way to the service by its own spelling. */
  #replaces(entry: ServiceEntry, name: string): boolean {
    if (!entry.asked || entry.found || entry.name === name) return false
    this.#remove(entry)
    return true
  }

  #addListed(key: string): ServiceEntry {
    for (let index = 0; index < this.#hubs.length; index++) {
      const [name] = this.#catalog.spellings(index, key)
      if (name !== undefined) return this.#add(key, this.#naming.sourceNameOf(name), 'listed')
    }
    return this.#add(key, key, 'listed')
  }

  #listed(index: number): void {
    this.#absent.clear()
    this.#hints.forget()
    this.#hosts.forget()
    for (const [key, { entry, feed }] of [...this.#byKey]) {
      if (entry.asked && this.#catalog.isListed(key)) this.#becomeListed(entry)
      // Removed or replaced by then: closed feeds do nothing.
      feed.listed(index)
      if (entry.asked) this.#settle(entry)
      else if (!entry.declared && feed.unlisted && this.#byKey.get(key)?.entry === entry) {
        entry.missing()
        this.#remove(entry)
      }
    }
    this.#changed()
  }

  #becomeListed(entry: ServiceEntry): void {
    const { key } = entry
    const [name = key] = this.#hubs.flatMap((_, index) => this.#catalog.spellings(index, key))
    if (this.#replaces(entry, this.#naming.sourceNameOf(name))) this.#addListed(key)
    else this.#keep(entry)
  }
}
