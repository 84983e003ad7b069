import { emitLanewayWarning } from '@laneway/core'
import type { Choice, ChoiceEnd } from '@laneway/discovery'
import type { ChannelOptions, GrpcChannel, GrpcCredentials, MakeChannel } from '../grpc-js.js'
import type { GrpcResolver, ResolvedLaneChannelOptions } from '../lane-channel-options.js'
import { EndpointChannels } from './endpoint-channels.js'
import { type ChannelTarget, readTarget } from './target.js'

/** What the calls of one channel have in common. */
export class LaneRoute {
  readonly options: ResolvedLaneChannelOptions
  readonly target: ChannelTarget
  readonly resolver: GrpcResolver | undefined
  /** `undefined` without a resolver. */
  readonly channels: EndpointChannels | undefined
  /** The service config has a policy by which grpc-js itself sends a call more than once. */
  readonly retries: boolean
  /** The channel that the application would have without Laneway. */
  readonly plain: () => GrpcChannel
  readonly #secure: boolean

  constructor(
    make: MakeChannel,
    plain: () => GrpcChannel,
    target: string,
    credentials: GrpcCredentials,
    channelOptions: ChannelOptions,
    options: ResolvedLaneChannelOptions,
  ) {
    this.options = options
    this.plain = plain
    this.target = readTarget(target)
    this.resolver = options.resolver
    this.#secure = credentials._isSecure()
    this.retries = /"(?:retry|hedging)Policy"/.test(String(channelOptions['grpc.service_config'] ?? ''))
    this.channels =
      options.resolver && new EndpointChannels(make, this.target, credentials, channelOptions, options.resolver)
  }

  /** The service that the target names, as the resolver knows it now. */
  service(): string | undefined {
    const { hostname, port } = this.target
    return hostname === undefined ? undefined : this.resolver?.match(hostname, port, this.#secure)
  }

  /**
   * Reports the end of a call that is over: it cannot end with what the resolver throws.
   *
   * @param status - as in HTTP; 0 when the server has sent none
   */
  finished(choice: Choice, end: ChoiceEnd, status = 0): void {
    try {
      this.resolver!.finished(choice, end, status)
    } catch (error) {
      const { onFault } = this.options
      if (onFault === undefined) emitLanewayWarning(`a resolver failed when it was told of an end: ${error}`)
      else onFault(error)
    }
  }
}
