import { bindLane, currentLane } from '@laneway/core'
import { isLeftAlone } from '@laneway/core/internal'
import { LaneCall } from '../call/lane-call.js'
import {
  type CallArguments,
  type ChannelOptions,
  CONNECTING,
  type GrpcCall,
  type GrpcChannel,
  type GrpcCredentials,
  IDLE,
  type MakeChannel,
  READY,
  SHUTDOWN,
  TRANSIENT_FAILURE,
} from '../grpc-js.js'
import type { ResolvedLaneChannelOptions } from '../lane-channel-options.js'
import type { EndpointChannel } from './endpoint-channel.js'
import { LaneRoute } from './lane-route.js'

/** How often a watcher looks at the state, in milliseconds. */
const LOOK_AGAIN_MS = 100

/** A channel to a service. It has one channel for each endpoint that was called, and a plain one for targets that are no service. */
export class LaneChannel implements GrpcChannel {
  readonly #route: LaneRoute
  #plain: GrpcChannel | undefined
  /** The endpoint that was connected without a call, for `getConnectivityState(true)`. */
  #probe: EndpointChannel | undefined
  #closed = false

  /** @param plain - the channel without lanes, when it exists already */
  constructor(
    make: MakeChannel,
    target: string,
    credentials: GrpcCredentials,
    channelOptions: ChannelOptions,
    options: ResolvedLaneChannelOptions,
    plain?: GrpcChannel,
  ) {
    this.#plain = plain
    const orMake = () => {
      this.#plain ??= make(target, credentials, channelOptions)
      return this.#plain
    }
    this.#route = new LaneRoute(make, orMake, target, credentials, channelOptions, options)
    // A wrong target or wrong credentials throw here, as in grpc-js.
    orMake()
  }

  /** Channels to endpoints that are open. */
  get endpoints(): number {
    return this.#route.channels?.size ?? 0
  }

  createCall(...args: CallArguments): GrpcCall {
    // The message of grpc-js.
    if (this.#closed) throw new Error('Channel has been shut down')
    return isLeftAlone() ? this.#route.plain().createCall(...args) : new LaneCall(this.#route, args)
  }

  close(): void {
    this.#closed = true
    this.#route.channels?.close()
    this.#route.plain().close()
  }

  getTarget(): string {
    return this.#route.plain().getTarget()
  }

  getChannelzRef(): unknown {
    return this.#route.plain().getChannelzRef()
  }

  /** A service is ready when one endpoint is. With `tryToConnect`, the endpoint that a call of this lane would get connects. */
  getConnectivityState(tryToConnect: boolean): number {
    if (this.#closed) return SHUTDOWN
    const { channels } = this.#route
    const service = isLeftAlone() ? undefined : this.#route.service()
    if (service === undefined || channels === undefined) return this.#route.plain().getConnectivityState(tryToConnect)
    if (channels.some(READY)) return READY
    if (tryToConnect) this.#connect(service)
    const state = this.#probe?.channel.getConnectivityState(false)
    return state === undefined ? IDLE : state === SHUTDOWN ? CONNECTING : state
  }

  watchConnectivityState(state: number, deadline: Date | number, callback: (error?: Error) => void): void {
    if (this.#closed) throw new Error('Channel has been shut down')
    if (isLeftAlone() || this.#route.service() === undefined) {
      this.#route.plain().watchConnectivityState(state, deadline, callback)
      return
    }
    const end = Number(deadline)
    const notify = bindLane(callback)
    let timer: NodeJS.Timeout | undefined
    const look = () => {
      clearTimeout(timer)
      if (this.getConnectivityState(false) !== state) notify()
      else if (Date.now() >= end) notify(new Error('Deadline passed without connectivity state change'))
      else timer = setTimeout(look, Math.min(LOOK_AGAIN_MS, end - Date.now()))
    }
    process.nextTick(look)
  }

  #connect(service: string): void {
    const { channels, resolver } = this.#route
    const state = this.#probe?.channel.getConnectivityState(false)
    if (state === CONNECTING || state === IDLE) {
      this.#probe?.connect()
      return
    }
    const tried = state === TRANSIENT_FAILURE ? this.#probed : undefined
    const { endpoint, outcome } = resolver!.pick(service, currentLane(), tried)
    if (endpoint === undefined) {
      // A watcher looks again after the lookup.
      if (outcome === 'not-ready') resolver!.lookup(service).catch(() => {})
      return
    }
    const use = (channel: EndpointChannel | undefined) => {
      this.#probe = channel
      this.#probed.add(endpoint.address)
      channel?.connect()
    }
    const channel = channels!.get(endpoint)
    if (channel === undefined) channels!.open(endpoint, (_error, opened) => use(opened))
    else use(channel)
  }

  /** Addresses that were asked to connect. */
  readonly #probed = new Set<string>()
}
