import { LanewayError } from '@laneway/core'
import { HostMatcher } from './host-matcher.js'
import { compilePolicies } from './lane-policy.js'
import { createRandom } from './random.js'
import type { ResolvedLaneResolverOptions } from './resolver-options.js'
import { type EntrySettings, ServiceEntry } from './service-entry.js'
import { ServiceFeed } from './service-feed.js'
import { ServiceNaming } from './service-name.js'
import { SourceCatalog } from './source-catalog.js'
import type { SourceHub } from './source-hub.js'

/** The part of an entry's settings that the resolver provides. */
export type RegistryHooks = Pick<EntrySettings, 'clock' | 'gone' | 'changed'>

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
  readonly #warnedAmbiguous = new Set<string>()
  /** Runs while sources that say nothing are waited for. */
  #patience: NodeJS.Timeout | undefined
  #closed = false

  constructor(options: ResolvedLaneResolverOptions, hubs: readonly SourceHub[], hooks: RegistryHooks) {
    this.#options = options
    this.#hubs = hubs
    this.#naming = new ServiceNaming(options)
    this.#catalog = new SourceCatalog(hubs, this.#naming)
    this.#hosts = new HostMatcher(hostname => this.#judge(hostname))
    const { outlier, warn, balancer, baseEmpty, allowLinkLocal } = options
    const random = createRandom(options.random)
    this.#settings = { ...hooks, outlier, warn, balancer, baseEmpty, allowLinkLocal, random }
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
    this.#catalog.start(index => this.#listed(index))
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

  entries(): Iterable<ServiceEntry> {
    return this.#byName.values()
  }

  /** The service that a host names, whether or not a port goes with it. */
  match(hostname: string): ServiceEntry | undefined {
    return this.#hosts.match(hostname)
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
    if (known?.entry.declared && known.entry.name !== sourceName && this.#tellsCaseApart) {
      if (name !== name.toLowerCase()) throw differByCase([known.entry.name, sourceName])
    }
    this.#declaredHosts.add(name.toLowerCase().replace(/\.$/, ''))
    // The namespace may be left out or written: of a declared service both are the whole name.
    if (!key.includes('.')) this.#declaredHosts.add(`${key}.${this.#options.namespace}`)
    this.#hosts.forget()
    if (known === undefined) return this.#add(key, sourceName, true)
    known.entry.declared = true
    known.feed.elect()
    return known.entry
  }

  /** Waits no longer for sources that say nothing about a service. */
  loseHope(entry: ServiceEntry): void {
    this.#byKey.get(entry.key)?.feed.loseHope()
  }

  close(): void {
    this.#closed = true
    clearTimeout(this.#patience)
    this.#catalog.stop()
    for (const { entry, feed } of this.#byKey.values()) {
      feed.close()
      entry.close()
    }
    this.#hosts.forget()
  }

  get #tellsCaseApart(): boolean {
    return this.#hubs.some(hub => hub.source.caseInsensitive === false)
  }

  #add(key: string, name: string, declared: boolean): ServiceEntry {
    const settings = { ...this.#settings, service: name, policies: this.#policiesOf(key), anyUses: { count: 0 } }
    const entry = new ServiceEntry(key, declared, settings)
    const feed = new ServiceFeed(entry, this.#hubs, this.#catalog, name)
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
    if (this.#closed || !this.#catalog.isListed(question.key) || this.#isAmbiguous(question.key)) return undefined
    return served?.entry ?? this.#addListed(question.key)
  }

  #addListed(key: string): ServiceEntry {
    for (let index = 0; index < this.#hubs.length; index++) {
      const [name] = this.#catalog.spellings(index, key)
      if (name !== undefined) return this.#add(key, this.#naming.sourceNameOf(name), false)
    }
    return this.#add(key, key, false)
  }

  #isAmbiguous(key: string): boolean {
    const ambiguity = this.#catalog.ambiguity(key)
    if (ambiguity === undefined) return false
    if (!this.#warnedAmbiguous.has(key) && this.#warnedAmbiguous.size < 100) {
      this.#warnedAmbiguous.add(key)
      this.#options.warn(
        `${ambiguity.source} lists ${ambiguity.names.join(' and ')}, which a host name cannot tell apart: ` +
          `none of them is resolved; declare the one you mean in services, or give it a host in aliases`,
      )
    }
    return true
  }

  #listed(index: number): void {
    this.#hosts.forget()
    for (const [key, { entry, feed }] of [...this.#byKey]) {
      feed.listed(index)
      if (entry.declared || !feed.unlisted) continue
      entry.missing()
      feed.close()
      entry.close()
      this.#byKey.delete(key)
      this.#byName.delete(entry.name)
    }
  }
}

function differByCase(names: readonly string[]): LanewayError {
  return new LanewayError(
    'LANEWAY_INVALID_OPTION',
    `the services ${names.join(' and ')} differ only by case, which a host name cannot tell apart; use aliases for one of them`,
  )
}
