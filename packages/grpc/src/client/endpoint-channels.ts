import { isIP } from 'node:net'
import { runInLane } from '@laneway/core'
import { guardLookup, kAnyAddress } from '@laneway/core/internal'
import type { EgressResolver, Endpoint } from '@laneway/discovery'
import type { ChannelOptions, GrpcCredentials, MakeChannel } from '../grpc-js.js'
import { EndpointChannel } from './endpoint-channel.js'
import type { ChannelTarget } from './target.js'

/**
 * The longest delay before a failed connection is tried again, in milliseconds, unless the application sets it. grpc-js waits
 * up to two minutes; for that long, calls of a lane would go to base although its endpoint is back.
 */
const MAX_RECONNECT_BACKOFF_MS = 5000

/** The channels of one client, one for each endpoint that it has called. */
export class EndpointChannels {
  readonly #byAddress = new Map<string, EndpointChannel>()
  readonly #make: (target: string) => EndpointChannel
  readonly #resolver: EgressResolver
  /** Endpoints whose name is being looked up for a call. */
  readonly #opening = new Set<Endpoint>()
  #unsubscribe: (() => void) | undefined
  #closed = false

  constructor(
    make: MakeChannel,
    { authority, hostname }: ChannelTarget,
    credentials: GrpcCredentials,
    options: ChannelOptions,
    resolver: EgressResolver,
  ) {
    this.#resolver = resolver
    const own: ChannelOptions = {
      'grpc.default_authority': authority,
      'grpc.max_reconnect_backoff_ms': MAX_RECONNECT_BACKOFF_MS,
      ...(credentials._isSecure() && { 'grpc.ssl_target_name_override': hostname }),
      ...options,
      // Endpoints are connected directly: a proxy may not reach their addresses.
      'grpc.enable_http_proxy': 0,
    }
    this.#make = target => runInLane(undefined, () => new EndpointChannel(make(target, credentials, own)))
  }

  get size(): number {
    return this.#byAddress.size
  }

  /** @returns `undefined` for an endpoint whose name has to be looked up first: see {@link open} */
  get(endpoint: Endpoint): EndpointChannel | undefined {
    const known = this.#byAddress.get(endpoint.address)
    if (known !== undefined) return known
    const family = isIP(endpoint.host)
    if (family !== 0) return this.#add(endpoint.address, `ipv${family}:${endpoint.address}`)
    const unchecked = (endpoint as { [kAnyAddress]?: true })[kAnyAddress] === true
    return unchecked ? this.#add(endpoint.address, `dns:///${endpoint.address}`) : undefined
  }

  /** Looks up the name of an endpoint; fails when it leads to a forbidden address. */
  open(endpoint: Endpoint, done: (error: Error | undefined, channel: EndpointChannel | undefined) => void): void {
    this.#subscribe()
    this.#opening.add(endpoint)
    runInLane(undefined, () => {
      guardLookup(undefined)(endpoint.host, { all: true }, (error: Error | null, found: Found[]) => {
        const removed = !this.#opening.delete(endpoint)
        const known = this.#byAddress.get(endpoint.address)
        if (known !== undefined) done(undefined, known)
        else if (error !== null && error !== undefined) done(error, undefined)
        else if (removed || this.#closed) done(new Error(`the endpoint ${endpoint.address} was removed`), undefined)
        else done(undefined, this.#add(endpoint.address, targetOf(found, endpoint)))
      })
    })
  }

  /** @returns `undefined` for an endpoint that has no channel */
  peek(endpoint: Endpoint): EndpointChannel | undefined {
    return this.#byAddress.get(endpoint.address)
  }

  /** The connection to an endpoint has failed. Its name is looked up again next time: it may have another address. */
  failed(endpoint: Endpoint): void {
    if (isIP(endpoint.host) === 0) this.#remove(endpoint.address)
  }

  /** Whether any of the channels is in this state. */
  some(state: number): boolean {
    for (const { channel } of this.#byAddress.values()) if (channel.getConnectivityState(false) === state) return true
    return false
  }

  close(): void {
    this.#closed = true
    this.#unsubscribe?.()
    this.#unsubscribe = undefined
    for (const address of [...this.#byAddress.keys()]) this.#remove(address)
  }

  #add(address: string, target: string): EndpointChannel {
    this.#subscribe()
    const channel = this.#make(target)
    this.#byAddress.set(address, channel)
    return channel
  }

  #subscribe(): void {
    this.#unsubscribe ??= this.#resolver.onEndpointGone?.(({ address }) => {
      this.#remove(address)
      for (const endpoint of this.#opening) if (endpoint.address === address) this.#opening.delete(endpoint)
    })
  }

  /** Closes the channel. Calls in flight end normally. */
  #remove(address: string): void {
    const known = this.#byAddress.get(address)
    if (known === undefined) return
    this.#byAddress.delete(address)
    known.channel.close()
  }
}

interface Found {
  readonly address: string
  readonly family: number
}

/** A target of grpc-js can have addresses of one family only. */
function targetOf(found: readonly Found[], { port }: Endpoint): string {
  const family = found[0]!.family
  const same = found.filter(one => one.family === family)
  return `ipv${family}:${same.map(({ address }) => (family === 6 ? `[${address}]:${port}` : `${address}:${port}`)).join(',')}`
}
