import { LaneChannel } from './client/lane-channel.js'
import { kPlainChannel } from './client/plain-channel.js'
import type { ChannelOptions, GrpcChannel, GrpcCredentials, MakeChannel } from './grpc-js.js'
import { type LaneChannelOptions, resolveLaneChannelOptions } from './lane-channel-options.js'

export type { LaneChannelOptions } from './lane-channel-options.js'

type ChannelClass = new (target: string, credentials: GrpcCredentials, options: ChannelOptions) => GrpcChannel

/** For a preload. Loads nothing of `@grpc/grpc-js`. */
export interface ChannelPatch {
  /**
   * Makes a class of channels whose calls go into lanes: a subclass with the same name, for the place where `Client` of one
   * copy of `@grpc/grpc-js` looks the class up. Given such a class, it returns the class itself.
   */
  wrapChannel<C>(Plain: C): C
}

/**
 * @param onFault - called with a fault of Laneway's own; the call goes on without Laneway
 * @throws LanewayError `LANEWAY_INVALID_OPTION`
 */
export function createChannelPatch(options: LaneChannelOptions, onFault: (error: unknown) => void): ChannelPatch {
  const resolved = resolveLaneChannelOptions('createChannelPatch', options, onFault)
  return {
    wrapChannel<C>(given: C): C {
      const Plain = given as unknown as ChannelClass
      if (Object.hasOwn(Plain, kPlainChannel)) return given
      const make: MakeChannel = (target, credentials, channelOptions) => new Plain(target, credentials, channelOptions)

      class ChannelImplementation extends Plain {
        static readonly [kPlainChannel] = Plain
        readonly #lanes: LaneChannel | undefined

        constructor(target: string, credentials: GrpcCredentials, channelOptions: ChannelOptions) {
          super(target, credentials, channelOptions)
          try {
            const plain = new PlainMethods(this, Plain.prototype)
            this.#lanes = new LaneChannel(make, target, credentials, channelOptions ?? {}, resolved, plain)
          } catch (error) {
            onFault(error)
          }
        }

        override createCall(...args: Parameters<GrpcChannel['createCall']>) {
          return this.#lanes === undefined ? super.createCall(...args) : this.#lanes.createCall(...args)
        }

        override getConnectivityState(tryToConnect: boolean) {
          return this.#lanes === undefined
            ? super.getConnectivityState(tryToConnect)
            : this.#lanes.getConnectivityState(tryToConnect)
        }

        override watchConnectivityState(...args: Parameters<GrpcChannel['watchConnectivityState']>) {
          if (this.#lanes === undefined) super.watchConnectivityState(...args)
          else this.#lanes.watchConnectivityState(...args)
        }

        override close() {
          if (this.#lanes === undefined) super.close()
          else this.#lanes.close()
        }
      }
      return ChannelImplementation as unknown as C
    },
  }
}

/** The methods that a channel has without lanes. */
class PlainMethods implements GrpcChannel {
  constructor(
    private readonly channel: GrpcChannel,
    private readonly plain: GrpcChannel,
  ) {}

  close() {
    this.plain.close.call(this.channel)
  }

  getTarget() {
    return this.plain.getTarget.call(this.channel)
  }

  getChannelzRef() {
    return this.plain.getChannelzRef.call(this.channel)
  }

  getConnectivityState(tryToConnect: boolean) {
    return this.plain.getConnectivityState.call(this.channel, tryToConnect)
  }

  watchConnectivityState(...args: Parameters<GrpcChannel['watchConnectivityState']>) {
    this.plain.watchConnectivityState.call(this.channel, ...args)
  }

  createCall(...args: Parameters<GrpcChannel['createCall']>) {
    return this.plain.createCall.call(this.channel, ...args)
  }
}
