import { isIP } from 'node:net'
import { guardLookup, kAnyAddress, type Lookup, type ServiceHandle, serviceHandle } from '@laneway/core/internal'
import type { Choice, Endpoint } from '@laneway/discovery'
import type { ResolvedLaneChannelOptions } from '../lane-channel-options.js'

/** Of `Transport` of `@connectrpc/connect` 2. */
export interface AnyTransport {
  unary(...args: any[]): Promise<any>
  stream(...args: any[]): Promise<any>
}

/** The target of one transport. */
export interface TransportTarget {
  /** `http://10.0.0.7:50051`; when the host is no service, the URL that was given. */
  readonly baseUrl: string
  /**
   * What the HTTP client needs besides: the name that TLS asks for, and a look-up that refuses link-local addresses. Put it
   * into `nodeOptions`.
   */
  readonly nodeOptions: { servername?: string; lookup?: Lookup }
}

/** What all calls of one transport share: a transport for each endpoint, and a plain one when the host is no service. */
export class TransportRoute {
  readonly hostname: string
  readonly options: ResolvedLaneChannelOptions
  readonly #baseUrl: string
  readonly #create: (target: TransportTarget) => AnyTransport
  readonly #path: string
  /** `undefined` without a resolver. */
  readonly handle: ServiceHandle<Choice> | undefined
  readonly #secure: boolean
  readonly #byAddress = new Map<string, AnyTransport>()
  #plain: AnyTransport | undefined

  constructor(baseUrl: string, create: (target: TransportTarget) => AnyTransport, options: ResolvedLaneChannelOptions) {
    const { protocol, hostname, port, pathname } = new URL(baseUrl)
    this.#baseUrl = baseUrl
    this.#create = create
    this.options = options
    this.#path = pathname.replace(/\/$/, '')
    this.#secure = protocol === 'https:'
    this.hostname = hostname
    const { resolver } = options
    const host = { hostname, port: port === '' ? undefined : Number(port), secure: this.#secure }
    this.handle = resolver && serviceHandle<Choice>(resolver, host)
    options.resolver?.onEndpointGone?.(({ address }) => this.#byAddress.delete(address))
  }

  /** The service that the URL names, as the resolver knows it now. */
  service(): string | undefined {
    return this.handle?.match()
  }

  plain(): AnyTransport {
    this.#plain ??= this.#create({ baseUrl: this.#baseUrl, nodeOptions: {} })
    return this.#plain
  }

  to(endpoint: Endpoint): AnyTransport {
    let transport = this.#byAddress.get(endpoint.address)
    if (transport === undefined) {
      const nodeOptions: { servername?: string; lookup?: Lookup } = {}
      if (this.#secure) nodeOptions.servername = this.hostname
      const unchecked = (endpoint as { [kAnyAddress]?: true })[kAnyAddress] === true
      if (isIP(endpoint.host) === 0 && !unchecked) nodeOptions.lookup = guardLookup(undefined)
      const origin = `${this.#secure ? 'https' : 'http'}://${endpoint.address}${this.#path}`
      transport = this.#create({ baseUrl: origin, nodeOptions })
      this.#byAddress.set(endpoint.address, transport)
    }
    return transport
  }
}
