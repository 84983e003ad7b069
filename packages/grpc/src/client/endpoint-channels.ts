import { isIP } from 'node:net'
import { guardLookup, kAnyAddress, runInLane } from '@laneway/core'
import type { Endpoint } from '@laneway/discovery'
import type { ChannelOptions, GrpcCredentials, MakeChannel } from '../grpc-js.js'
import type { GrpcResolver } from '../lane-channel-options.js'
import { EndpointChannel } from './endpoint-channel.js'
import type { ChannelTarget } from './target.js'

/**
 * A failed connection is repeated after at most this many milliseconds, unless the application has said otherwise: grpc-js
 * waits up to two minutes, and so long the calls of a lane would go to base after its endpoint is back.
 */
const MAX_RECONNECT_BACKOFF_MS = 5000

/** The channels of one client, one for each endpoint that it has called. */
export class EndpointChannels {
  readonly #byAddress = new Map<string, EndpointChannel>()
  readonly #make: (target: string) => EndpointChannel
  readonly #resolver: GrpcResolver
  /** Endpoints whose name is being looked up, as a call wants it. */
  readonly #opening = new Set<Endpoint>()
  #unsubscribe: (() => void) | undefined
  #closed = false

  constructor(
    make: MakeChannel,
    { authority, hostname }: ChannelTarget,
    credentials: GrpcCredentials,
    options: ChannelOptions,
    resolver: GrpcResolver,
  ) {
    this.#resolver = resolver
    const own: ChannelOptions = {
      'grpc.default_authority': authority,
      'grpc.max_reconnect_backoff_ms': MAX_RECONNECT_BACKOFF_MS,
      ...(credentials._isSecure() && { 'grpc.ssl_target_name_override': hostname }),
      ...options,
      // An endpoint is reached directly: the proxy would look the address up from where it is.
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

  /** Looks the name of an endpoint up; a name that leads to a forbidden address is no endpoint. */
  open(endpoint: Endpoint, done: (error: Error | undefined, channel: EndpointChannel | undefined) => void): void {
    this.#subscribe()
    this.#opening.add(endpoint)
    runInLane(undefined, () => {
      guardLookup(undefined)(endpoint.host, { all: true }, (error: Error | null, found: Found[]) => {
        const left = !this.#opening.delete(endpoint)
        const known = this.#byAddress.get(endpoint.address)
        if (known !== undefined) done(undefined, known)
        else if (error !== null && error !== undefined) done(error, undefined)
        else if (left || this.#closed) done(new Error(`the endpoint ${endpoint.address} has left`), undefined)
        else done(undefined, this.#add(endpoint.address, targetOf(found, endpoint)))
      })
    })
  }

  /** @returns `undefined` for an endpoint that has no channel */
  peek(endpoint: Endpoint): EndpointChannel | undefined {
    return this.#byAddress.get(endpoint.address)
  }

  /** The connection to an endpoint has failed: its name may lead elsewhere by now. */
  failed(endpoint: Endpoint): void {
    if (isIP(endpoint.host) === 0) this.#remove(endpoint.address)
  }

  /** Whether one of the channels is in a state. */
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
    this.#unsubscribe ??= this.#resolver.onEndpointGone(({ address }) => {
      this.#remove(address)
      for (const endpoint of this.#opening) if (endpoint.address === address) this.#opening.delete(endpoint)
    })
  }

  /** Calls under way end as they would have. */
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

/** A target holds addresses of one family. */
function targetOf(found: readonly Found[], { port }: Endpoint): string {
  const family = found[0]!.family
  const same = found.filter(one => one.family === family)
  return `ipv${family}:${same.map(({ address }) => (family === 6 ? `[${address}]:${port}` : `${address}:${port}`)).join(',')}`
}
