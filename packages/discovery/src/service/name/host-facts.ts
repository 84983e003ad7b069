import type { EntrySettings, ServiceEntry } from '../service-entry.js'

/** The part of an entry's settings that the resolver provides. */
export interface RegistryHooks extends Pick<EntrySettings, 'clock' | 'gone'> {
  /** Called after a source has reported on any service. */
  readonly changed: () => void
}

/** What is known about a host, for hints. */
export interface HostFacts {
  readonly entry: ServiceEntry | undefined
  /** The sources say that they have no such service. */
  readonly absent: boolean
  /** What the sources would call it. */
  readonly name: string
}
