import { LanewayError } from '@laneway/core'
import { milliseconds, type OptionTable, readOptions, text, texts } from '@laneway/core/internal'
import type { EndpointInput, Source, SourceListener } from '@laneway/discovery'
// Not from the index: the resolver would come with it, and half of the time that importing this package takes.
import { tagsOfMetadata } from '@laneway/discovery/tags-of-metadata'

/** An instance as either foreign client gives it. */
export interface ForeignInstance {
  readonly ip: string
  readonly port: number
  readonly weight?: number
  readonly healthy?: boolean
  readonly enabled?: boolean
  readonly clusterName?: string
  readonly metadata?: Readonly<Record<string, string>>
}

/** The naming client of the npm package `nacos` (2.x), as far as it is used. */
export interface NacosPackageClient {
  subscribe(
    info: { serviceName: string; groupName?: string },
    listener: (hosts: readonly ForeignInstance[]) => void,
  ): unknown
  unSubscribe(
    info: { serviceName: string; groupName?: string },
    listener: (hosts: readonly ForeignInstance[]) => void,
  ): unknown
  getAllInstances(
    service: string,
    group?: string,
    clusters?: string,
    subscribe?: boolean,
  ): Promise<readonly ForeignInstance[]>
}

/** The naming client of `nacos-sdk-rust-binding-node`, as far as it is used. */
export interface NacosRustClient {
  subscribe(
    service: string,
    group: string,
    clusters: string[] | undefined | null,
    listener: (error: Error | null, instances: ForeignInstance[]) => void,
  ): unknown
  batchRegisterInstance(...args: never[]): unknown
  getAllInstances(
    service: string,
    group: string,
    clusters?: string[] | undefined | null,
    subscribe?: boolean | undefined | null,
  ): Promise<ForeignInstance[]>
}

/** Options of {@link fromNacosClient}. */
export interface FromNacosClientOptions {
  /** @default 'DEFAULT_GROUP' */
  group?: string
  /** @default [] */
  tagsFrom?: readonly string[]
  /**
   * How often the list is read, because neither client reports an empty list to its listeners: `nacos` drops it, and the
   * Rust client ignores it by default.
   * @default 5000; with 0 the list is not read, and the last instance of a service stays for ever
   */
  pollMs?: number
}

const OPTIONS = {
  group: text('DEFAULT_GROUP'),
  tagsFrom: texts(),
  pollMs: milliseconds(5_000),
} satisfies OptionTable<FromNacosClientOptions>

/**
 * A source over a client that a program has already. Prefer `createNacosClient`; the limits of the others remain:
 * `nacos` needs a server below 3.2 and lags by up to 10 s; the Rust client blocks the event loop while it connects and
 * cannot unsubscribe, so what was subscribed once is pushed until its process ends. Neither reports that the server is
 * lost. Closing the source does not close the client.
 *
 * @throws LanewayError `LANEWAY_INVALID_OPTION` for an object that is neither
 */
export function fromNacosClient(
  client: NacosPackageClient | NacosRustClient,
  options: FromNacosClientOptions = {},
): Source {
  const { group, tagsFrom, pollMs } = readOptions('fromNacosClient', options, OPTIONS)
  if (typeof client?.subscribe !== 'function' || typeof client.getAllInstances !== 'function') {
    throw new LanewayError(
      'LANEWAY_INVALID_OPTION',
      'fromNacosClient takes a naming client of nacos or nacos-sdk-rust-binding-node',
    )
  }
  const rust = 'batchRegisterInstance' in client
  const ends = new Set<() => void>()

  const subscribe = (service: string, listener: SourceListener): (() => void) => {
    let ended = false
    let timer: NodeJS.Timeout | undefined
    const report = (instances: readonly ForeignInstance[]): void => {
      if (!ended) listener.snapshot(instances.map(instance => endpointOf(instance, tagsFrom)))
    }
    const fail = (error: unknown): void => {
      if (!ended) listener.stale(error instanceof Error ? error : new Error(String(error)))
    }
    const poll = async (): Promise<void> => {
      try {
        report(
          rust
            ? await client.getAllInstances(service, group, [], false)
            : await (client as NacosPackageClient).getAllInstances(service, group, '', false),
        )
      } catch (error) {
        fail(error)
      }
      if (!ended && pollMs > 0) timer = setTimeout(() => void poll(), pollMs).unref()
    }
    let stop = (): void => {}
    try {
      if (rust) {
        const result = client.subscribe(service, group, [], (error, instances) =>
          error ? fail(error) : report(instances),
        )
        Promise.resolve(result).catch(fail)
      } else {
        const info = { serviceName: service, groupName: group }
        const foreign = client as NacosPackageClient
        Promise.resolve(foreign.subscribe(info, report)).catch(fail)
        stop = () => void foreign.unSubscribe(info, report)
      }
    } catch (error) {
      fail(error)
    }
    void poll()
    const end = (): void => {
      if (!ends.delete(end)) return
      ended = true
      clearTimeout(timer)
      stop()
    }
    ends.add(end)
    return end
  }

  return Object.freeze({
    name: 'nacos',
    caseInsensitive: false,
    subscribe,
    close: async () => {
      for (const end of [...ends]) end()
    },
  })
}

function endpointOf(instance: ForeignInstance, tagsFrom: readonly string[]): EndpointInput {
  const { ip, port, weight, healthy, enabled, clusterName, metadata } = instance
  return {
    host: ip,
    port,
    weight: weight ?? 1,
    health: healthy === undefined ? 'unknown' : healthy ? 'healthy' : 'unhealthy',
    enabled: enabled !== false,
    ...(clusterName !== undefined && clusterName !== '' && clusterName !== 'DEFAULT' && { zone: clusterName }),
    tags: tagsOfMetadata(metadata, tagsFrom),
    metadata: metadata ?? {},
  }
}
