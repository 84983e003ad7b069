import { type ServiceHandle, serviceHandle, warnOfFault } from '@laneway/core/internal'
import type { Choice, ChoiceEnd, EgressResolver } from '@laneway/discovery'
import type { ChannelOptions, GrpcChannel, GrpcCredentials, MakeChannel } from '../grpc-js.js'
import type { ResolvedLaneChannelOptions } from '../lane-channel-options.js'
import { EndpointChannels } from './endpoint-channels.js'
import { type ChannelTarget, readTarget } from './target.js'

/** What all calls of one channel share. */
export class LaneRoute {
  readonly options: ResolvedLaneChannelOptions
  readonly target: ChannelTarget
  readonly resolver: EgressResolver | undefined
  /** `undefined` without a resolver. */
  readonly channels: EndpointChannels | undefined
  /** The service config has a retry or hedging policy: grpc-js may send a call more than once. */
  readonly retries: boolean
  /** The channel that the application would have without Laneway. */
  readonly plain: () => GrpcChannel
  /** For the host of the target; `undefined` without a resolver, and for a target without a host. */
  readonly handle: ServiceHandle<Choice> | undefined

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
    this.retries = /"(?:retry|hedging)Policy"/.test(String(channelOptions['grpc.service_config'] ?? ''))
    const { hostname, port } = this.target
    const { resolver } = options
    this.handle =
      resolver === undefined || hostname === undefined
        ? undefined
        : serviceHandle(resolver, { hostname, port, secure: credentials._isSecure() })
    this.channels =
      options.resolver && new EndpointChannels(make, this.target, credentials, channelOptions, options.resolver)
  }

  /** The service that the target names, as the resolver knows it now. */
  service(): string | undefined {
    return this.handle?.match()
  }

  /**
   * Reports the end of a call. The call is over, so an error of the resolver becomes a warning.
   *
   * @param status - as in HTTP; 0 when the server has sent none
   */
  finished(choice: Choice, end: ChoiceEnd, status = 0): void {
    try {
      this.resolver!.finished(choice, end, status)
    } catch (error) {
      const { onFault = warnOfFault } = this.options
      onFault(error)
    }
  }
}
