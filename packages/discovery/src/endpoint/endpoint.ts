/** Health as a registry reports it. `unknown` counts as usable: a registry that reports no health must not empty a lane. */
export type Health = 'healthy' | 'unhealthy' | 'unknown'

/**
 * One instance of a service as a source gives it. Everything but `host` and `port` is optional; the data is checked
 * before it enters a table (see `parseEndpoint`), so a source passes on what the registry said.
 */
export interface EndpointInput {
  /** IP literal (IPv6 with or without brackets) or RFC 1123 host name. */
  readonly host: string
  /** TCP port, 1..65535. */
  readonly port: number
  /**
   * Relative share of the traffic inside its lane; 0 takes the endpoint out of service.
   * @default 1
   */
  readonly weight?: number
  /**
   * @default 'unknown', because many registries do not check health
   */
  readonly health?: Health
  /**
   * `false` is an operator's decision and is never overridden, not even in panic.
   * @default true
   */
  readonly enabled?: boolean
  /**
   * The instance speaks TLS only, although callers use an `http` URL: Nacos metadata `secure=true`, as Spring has it.
   * @default false
   */
  readonly secure?: boolean
  /** Availability zone, as the registry names zones. See the option `zone` of `createLaneResolver`. */
  readonly zone?: string
  /** The zones whose callers the registry has set the endpoint aside for: the hints of an EndpointSlice. */
  readonly forZones?: readonly string[]
  /**
   * When the instance registered or became ready, in milliseconds since 1970.
   * @default when the resolver first saw it
   */
  readonly registeredAt?: number
  /**
   * Lane tags, a set. `base` and the empty string mean base.
   * @default [] (base)
   */
  readonly tags?: readonly string[]
  /** Registry metadata, passed through. */
  readonly metadata?: Readonly<Record<string, string>>
}

/** One instance of a service, checked and frozen. */
export interface Endpoint {
  /** `host:port`, IPv6 in brackets: the identity of the endpoint, ready for a URL or a `Host` header. */
  readonly address: string
  /** IP literal without brackets, or lower-case host name: ready for `net.connect`. */
  readonly host: string
  readonly port: number
  readonly weight: number
  readonly health: Health
  readonly enabled: boolean
  /** Adapters speak TLS to it, also for an `http` URL. */
  readonly secure?: boolean
  readonly zone: string | undefined
  readonly forZones?: readonly string[]
  readonly registeredAt?: number
  /** Lane tags without duplicates; empty = base. */
  readonly tags: readonly string[]
  readonly metadata: Readonly<Record<string, string>>
}
