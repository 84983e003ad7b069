import type { EndpointInput } from '../endpoint/endpoint.js'
import type { Source, SourceConnection } from '../source/source.js'

/** What the registries say about one service. */
export interface ServiceView {
  readonly service: string
  readonly source: string
  /** `undefined` before the first answer. */
  endpoints: readonly EndpointInput[] | undefined
  missing: boolean
  error: Error | undefined
  /** When the list last changed. */
  changedAt: number
}

/** How long a list of names may follow the answers about services. */
const LOOK_MS = 20

/** Follows services of registries: those that were asked for, or all that a registry lists. */
export class RegistryView {
  readonly services = new Map<string, ServiceView>()
  readonly #sources: readonly Source[]
  readonly #stops: (() => void)[] = []
  readonly #listed = new Map<Source, ReadonlySet<string>>()
  readonly #changed: (service?: string) => void
  #isListing = false

  /** @param changed - called after each change, with the service unless the list of names changed */
  constructor(sources: readonly Source[], changed: (service?: string) => void = () => {}) {
    this.#sources = sources
    this.#changed = changed
  }

  /** Follows every service that the registries list. */
  followAll(): void {
    this.#isListing = true
    for (const source of this.#sources) {
      if (source.list === undefined) this.#listed.set(source, new Set())
      else {
        this.#stops.push(
          source.list(names => {
            this.#listed.set(source, names)
            for (const name of names) this.follow(name, source)
            this.#changed()
          }),
        )
      }
    }
  }

  /** Names that the registries list. */
  get listed(): string[] {
    return [...this.services.keys()]
  }

  /** Whether a registry lists the service now. One that was removed stays in {@link services}, without instances. */
  isListed(service: string): boolean {
    for (const names of this.#listed.values()) if (names.has(service)) return true
    return false
  }

  follow(service: string, source: Source): void {
    const known = this.services.get(service)
    if (known !== undefined) return
    const view: ServiceView = {
      service,
      source: source.name,
      endpoints: undefined,
      missing: false,
      error: undefined,
      changedAt: Date.now(),
    }
    this.services.set(service, view)
    this.#stops.push(
      source.subscribe(service, {
        snapshot: endpoints => {
          if (JSON.stringify(endpoints) !== JSON.stringify(view.endpoints)) view.changedAt = Date.now()
          view.endpoints = endpoints
          view.missing = false
          view.error = undefined
          this.#changed(service)
        },
        missing: () => {
          view.endpoints = undefined
          view.missing = true
          this.#changed(service)
        },
        stale: error => {
          view.error = error
          this.#changed(service)
        },
      }),
    )
  }

  /** Waits until every registry that is asked has listed and every service was answered for, or failed. @returns whether in time */
  async settled(timeoutMs: number, signal: AbortSignal): Promise<boolean> {
    const end = Date.now() + timeoutMs
    for (;;) {
      if (this.#isSettled()) return true
      if (Date.now() >= end || signal.aborted) return false
      await new Promise(resolve => setTimeout(resolve, LOOK_MS))
    }
  }

  #isSettled(): boolean {
    const isListed = (source: Source) => this.#listed.has(source) || source.connection?.()?.connected === false
    return (
      (!this.#isListing || this.#sources.every(isListed)) &&
      [...this.services.values()].every(
        ({ endpoints, missing, error }) => endpoints !== undefined || missing || error !== undefined,
      )
    )
  }

  /** Registries that cannot be reached, with the reason. */
  get lost(): { source: Source; error: Error | undefined }[] {
    return this.#sources.flatMap(source => {
      const said: SourceConnection | undefined = source.connection?.()
      if (said?.connected === true) return []
      if (said?.connected === false) return [{ source, error: said.error }]
      return this.#listed.has(source) ? [] : [{ source, error: undefined }]
    })
  }

  /** Services that no registry has reported on. That is not the same as a service without instances. */
  get unanswered(): ServiceView[] {
    return [...this.services.values()].filter(({ endpoints, missing }) => endpoints === undefined && !missing)
  }

  close(): void {
    for (const stop of this.#stops.splice(0)) stop()
  }
}
