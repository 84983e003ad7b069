import { runInLane } from '@laneway/core'
import { createRandom } from '../balancer/random.js'
import type { ResolvedLaneResolverOptions } from '../resolver-options.js'
import { CallerZones } from '../zone/caller-zones.js'
import { AskedEntries, isIpv4Number } from './asked-entries.js'
import { BuildTurns } from './build-turns.js'
import { declaredBy, entrySettings, type SettingsParts } from './entry-settings.js'
import { AbsentNames } from './name/absent-names.js'
import { DeclaredHosts } from './name/declared-hosts.js'
import type { HostFacts, RegistryHooks } from './name/host-facts.js'
import { HostMatcher } from './name/host-matcher.js'
import { differByCase, NameHints } from './name/name-hints.js'
import { ServiceNaming } from './name/service-name.js'
import { ServiceEntry } from './service-entry.js'
import { ServiceFeed } from './service-feed.js'
import { SourceCatalog } from './source-catalog.js'
import type { SourceHub } from './source-hub.js'

interface Served {
  readonly entry: ServiceEntry
  readonly feed: ServiceFeed
}

/** The services of a resolver: which names they have, and which sources feed them. */
export class ServiceRegistry {
  #options: ResolvedLaneResolverOptions
  readonly #hubs: readonly SourceHub[]
  readonly #naming: ServiceNaming
  readonly #catalog: SourceCatalog
  readonly #changed: () => void
  readonly #parts: SettingsParts
  #settingsOf: ReturnType<typeof entrySettings>
  readonly #byKey = new Map<string, Served>()
  readonly #byName = new Map<string, ServiceEntry>()
  readonly #declaredHosts: DeclaredHosts
  readonly #hosts: HostMatcher
  readonly #absent = new AbsentNames(() => this.#hosts.forget())
  readonly #asked = new AskedEntries()
  readonly #hints: NameHints
  #callers: CallerZones
  #patience: NodeJS.Timeout | undefined
  #closed = false

  constructor(options: ResolvedLaneResolverOptions, hubs: readonly SourceHub[], hooks: RegistryHooks) {
    this.#options = options
    this.#hubs = hubs
    this.#naming = new ServiceNaming(options)
    this.#declaredHosts = new DeclaredHosts(options.namespace)
    this.#catalog = new SourceCatalog(hubs, this.#naming)
    this.#hints = new NameHints(this.#catalog, options.warn)
    this.#hosts = new HostMatcher(hostname => this.#judge(hostname))
    this.#changed = hooks.changed
    this.#parts = {
      ...hooks,
      changed: entry => this.#sourceReported(entry),
      turns: new BuildTurns(),
      random: createRandom(options.random),
      keyOf: name => this.#naming.keyOf(name),
    }
    this.#callers = new CallerZones(options.zone.callers, name => this.get(name))
    this.#settingsOf = entrySettings(options, this.#callers, this.#parts)
  }

  /**
   * Works by other options from now on. Sources, names and time limits stay.
   *
   * @throws LanewayError `LANEWAY_INVALID_OPTION`; then nothing changes
   */
  update(options: ResolvedLaneResolverOptions): void {
    const callers = new CallerZones(options.zone.callers, name => this.get(name))
    const settingsOf = entrySettings(options, callers, this.#parts)
    for (const service of declaredBy(options)) this.declare(service)
    for (const service of declaredBy(this.#options))
      if (!declaredBy(options).includes(service)) this.#undeclare(service)
    this.#options = options
    this.#callers = callers
    this.#settingsOf = settingsOf
    const calling = this.get(callers.service ?? '')
    if (calling !== undefined) callers.moved(calling)
    for (const { entry } of this.#byKey.values()) entry.update(settingsOf(entry.key, entry.name))
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
    for (const service of declaredBy(this.#options)) this.declare(service)
  }

  get(name: string): ServiceEntry | undefined {
    if (typeof name !== 'string') return undefined
    return this.#byName.get(name) ?? this.#byKey.get(this.#naming.keyOf(name))?.entry
  }

  /** By its canonical name: one look-up. */
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

  /** A host or a service name may mean something else when its version has changed. */
  get names(): { readonly version: number } {
    return this.#hosts.names
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
    const differs = known?.entry.declared === true && known.entry.name !== sourceName && name !== name.toLowerCase()
    if (differs && this.#hubs.some(({ source }) => source.caseInsensitive === false)) {
      throw differByCase([known.entry.name, sourceName])
    }
    this.#declaredHosts.add(name, key)
    this.#hosts.forget()
    if (known === undefined || this.#replaces(known.entry, sourceName)) return this.#add(key, sourceName, 'declared')
    known.entry.declared = true
    known.entry.awaited = false
    this.#keep(known.entry)
    known.feed.elect()
    return known.entry
  }

  /** A service that no source lists is forgotten: whoever calls it asks for it. */
  #undeclare(name: string): void {
    const key = this.#naming.keyOf(name)
    const known = this.#byKey.get(key)
    if (known === undefined) return
    known.entry.declared = false
    this.#declaredHosts.delete(name, key)
    if (!this.#catalog.isListed(key)) {
      known.entry.missing()
      this.#remove(known.entry)
    }
    this.#hosts.forget()
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
    const entry = new ServiceEntry(key, why === 'declared', this.#settingsOf(key, name))
    const feed = new ServiceFeed(entry, this.#hubs, this.#catalog, name)
    entry.awaited = why !== 'declared'
    entry.asked = why === 'asked'
    if (entry.asked) this.#asked.add(entry)
    this.#byKey.set(key, { entry, feed })
    this.#byName.set(name, entry)
    this.#hosts.names.version++
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
    if (this.#absent.has(key) || isIpv4Number(key)) return undefined
    if (!this.#asked.makeRoom(oldest => this.#remove(oldest))) return undefined
    this.#add(key, key, 'asked')
    // Sources that answer at once may have said that there is no such service.
    return this.#byKey.get(key)?.entry
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
  }

  #remove(entry: ServiceEntry): void {
    this.#byKey.get(entry.key)?.feed.close()
    entry.close()
    entry.awaited = false
    this.#asked.delete(entry)
    this.#byKey.delete(entry.key)
    this.#byName.delete(entry.name)
    this.#hosts.forget()
  }

  /** A source lists the service, or it was declared. */
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
    return this.#add(key, this.#listedName(key), 'listed')
  }

  #listedName(key: string): string {
    const [name] = this.#hubs.flatMap((_, index) => this.#catalog.spellings(index, key))
    return name === undefined ? key : this.#naming.sourceNameOf(name)
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
    if (this.#replaces(entry, this.#listedName(entry.key))) this.#addListed(entry.key)
    else this.#keep(entry)
  }
}
