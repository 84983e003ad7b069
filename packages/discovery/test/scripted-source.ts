import type { EndpointInput, Source, SourceListener } from '../src/index.js'

/** A source that says what the test tells it to, and remembers what was asked of it. */
export interface ScriptedSource extends Source {
  /** Live subscriptions, as names. */
  readonly subscribed: string[]
  /** Every subscription that was ever made. */
  readonly asked: string[]
  readonly closed: number
  snapshot(service: string, endpoints: readonly EndpointInput[]): void
  missing(service: string): void
  stale(service: string, error: Error): void
  lists(...services: string[]): void
  readonly listing: boolean
}

export interface Script {
  name?: string
  /** `false`: the source cannot list. */
  canList?: boolean
  caseInsensitive?: boolean
  /** Answers each subscription at once. */
  services?: Record<string, readonly EndpointInput[]>
}

export function createScriptedSource(script: Script = {}): ScriptedSource {
  const listeners = new Map<SourceListener, string>()
  const listListeners = new Set<(services: ReadonlySet<string>) => void>()
  const asked: string[] = []
  let names: ReadonlySet<string> | undefined
  let closed = 0
  const of = (service: string) => [...listeners].filter(([, name]) => name === service).map(([listener]) => listener)
  return {
    name: script.name ?? 'scripted',
    asked,
    get subscribed() {
      return [...listeners.values()]
    },
    get closed() {
      return closed
    },
    get listing() {
      return listListeners.size > 0
    },
    subscribe(service, listener) {
      asked.push(service)
      listeners.set(listener, service)
      const endpoints = script.services?.[service]
      if (endpoints !== undefined) listener.snapshot(endpoints)
      return () => listeners.delete(listener)
    },
    ...(script.canList === false
      ? {}
      : {
          list(listener: (services: ReadonlySet<string>) => void) {
            listListeners.add(listener)
            if (names !== undefined) listener(names)
            return () => listListeners.delete(listener)
          },
        }),
    ...(script.caseInsensitive === undefined ? {} : { caseInsensitive: script.caseInsensitive }),
    async close() {
      closed++
    },
    snapshot: (service, endpoints) => {
      for (const listener of of(service)) listener.snapshot(endpoints)
    },
    missing: service => {
      for (const listener of of(service)) listener.missing()
    },
    stale: (service, error) => {
      for (const listener of of(service)) listener.stale(error)
    },
    lists: (...services) => {
      names = new Set(services)
      for (const listener of [...listListeners]) listener(names)
    },
  }
}
