import type { Source } from '@laneway/discovery'
import type { Test } from 'tap'

/** An instance as the suite publishes it. */
export interface SuiteInstance {
  readonly host: string
  readonly port: number
  /** Metadata, labels, or whatever the registry calls them; a source reads the lanes from it. @default {} */
  readonly labels?: Readonly<Record<string, string>>
  /** @default true */
  readonly healthy?: boolean
  /** @default none */
  readonly zone?: string
}

/** The instances of each service. An empty list is a service without instances. */
export type SuiteServices = Readonly<Record<string, readonly SuiteInstance[]>>

/** A registry under test. The suite changes it through these functions only. */
export interface SuiteRegistry {
  /** Opens a new source over this registry. The suite closes it. */
  open(): Source
  /**
   * Makes these the services of the registry, and no others. Resolves when the registry has them; a source may report them
   * later. Rejects or throws where the registry itself refuses what it is given.
   */
  publish(services: SuiteServices): Promise<void> | void
  /** Makes the registry unreachable, for open sources and for new ones. */
  lose?(): Promise<void> | void
  /** Makes it reachable again, with the services that it had. */
  restore?(): Promise<void> | void
}

/** A source under test: see {@link sourceSuite}. */
export interface SourceAdapter {
  /** Shown in front of each sentence. */
  readonly name: string
  /** Starts an empty registry that ends with the test. */
  start(t: Test): Promise<SuiteRegistry> | SuiteRegistry
  /**
   * What the source reports of a service that the registry does not know.
   * - `missing`: the registry tells an unknown service from one without instances
   * - `empty`: it does not, so an empty list is reported (Nacos)
   */
  readonly unknownService: 'missing' | 'empty'
  /**
   * What becomes of an endpoint with a tag that is none.
   * - `dropped`: the source reports it, and the resolver drops this one endpoint
   * - `stale`: the source refuses all of it and keeps the last good snapshot (a file, which people write)
   * - `throws`: `publish` throws, and nothing changes
   */
  readonly badEndpoint: 'dropped' | 'stale' | 'throws'
  /** Parts of the suite that cannot apply, each with the reason. They are shown as skipped. */
  readonly cannot?: {
    /** The registry cannot be lost; then `lose` and `restore` are not needed. */
    readonly lose?: string
    /** The registry itself takes fewer endpoints than the resolver. */
    readonly tooMany?: string
  }
}
