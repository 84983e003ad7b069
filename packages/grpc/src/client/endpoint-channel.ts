import { runInLane } from '@laneway/core'
import { type GrpcChannel, IDLE, SHUTDOWN } from '../grpc-js.js'

/** Called with each new state of a channel, outside of any lane. */
export type StateListener = (state: number) => void

/** The channel to one endpoint. Calls that wait for its connection share one watch. */
export class EndpointChannel {
  readonly channel: GrpcChannel
  readonly #waiting = new Set<StateListener>()
  #watched = false

  constructor(channel: GrpcChannel) {
    this.channel = channel
  }

  /** Returns the state of the connection, and starts to connect when it is idle. The connection belongs to no lane. */
  connect(): number {
    const { channel } = this
    const state = channel.getConnectivityState(false)
    if (state !== IDLE) return state
    return runInLane(undefined, () => {
      channel.getConnectivityState(true)
      return channel.getConnectivityState(false)
    })
  }

  /** @returns ends the wait */
  watch(listener: StateListener): () => void {
    this.#waiting.add(listener)
    this.#watch()
    return () => this.#waiting.delete(listener)
  }

  #watch(): void {
    if (this.#watched || this.#waiting.size === 0) return
    const state = this.connect()
    if (state === SHUTDOWN) {
      process.nextTick(() => this.#notify(SHUTDOWN))
      return
    }
    this.#watched = true
    runInLane(undefined, () => this.channel.watchConnectivityState(state, Infinity, () => this.#changed()))
  }

  #changed(): void {
    this.#watched = false
    this.#notify(this.channel.getConnectivityState(false))
    this.#watch()
  }

  #notify(state: number): void {
    for (const listener of [...this.#waiting]) listener(state)
  }
}
