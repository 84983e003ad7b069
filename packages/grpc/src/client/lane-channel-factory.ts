import { Channel, type ChannelCredentials, type ChannelOptions } from '@grpc/grpc-js'
import { isDisabled, OptionPlace } from '@laneway/core/internal'
import type { GrpcChannel } from '../grpc-js.js'
import { type LaneChannelOptions, resolveLaneChannelOptions } from '../lane-channel-options.js'
import { LaneChannel } from './lane-channel.js'
import { plainChannel } from './plain-channel.js'

/** Client options of `@grpc/grpc-js` with which a client sends its calls into lanes. */
export interface LaneChannelFactory {
  channelFactoryOverride(
    address: string,
    credentials: ChannelCredentials,
    options: ChannelOptions,
  ): InstanceType<typeof Channel>
}

/** Options of {@link laneChannel}. */
export interface LaneClientOptions extends LaneChannelOptions {
  /**
   * `Channel` of the copy of `@grpc/grpc-js` whose clients get the channels: grpc-js refuses credentials of another copy.
   * @default that of the `@grpc/grpc-js` which this package resolves to, because most programs have one copy
   */
  Channel?: typeof Channel
}

/**
 * Makes the calls of a client go to endpoints of their lane and carry its tag: spread the result into the options of the
 * client. The lane is that of the code that makes the call, or a valid tag that stands in the metadata.
 *
 * The host of the target names a service of the resolver, and its port has to be a port of that service
 * (`resolver.explain(service, lane)` shows what is known). Any other target is called as without Laneway; its calls get the
 * tag when the host is in scope.
 *
 * A call for which there is no endpoint ends with `UNAVAILABLE`; the metadata of its status has the code under
 * `laneway-code`: `LANEWAY_LANE_REQUIRED`, `LANEWAY_NO_BASE`, `LANEWAY_NO_INSTANCES`, `LANEWAY_NOT_READY`,
 * `LANEWAY_OVERLOADED`.
 *
 * Under `LANEWAY_DISABLE` with `all` or `grpc` the channels are those of grpc-js.
 *
 * @throws LanewayError `LANEWAY_INVALID_OPTION`, when called; a call never throws one
 */
export function laneChannel(options: LaneClientOptions = {}): LaneChannelFactory {
  const { Channel: Given = Channel, ...others } = options
  if (isDisabled(['grpc'])) {
    return {
      channelFactoryOverride: (target, credentials, channelOptions) => new Given(target, credentials, channelOptions),
    }
  }
  const resolved = resolveLaneChannelOptions('laneChannel', others)
  if (typeof Given !== 'function') {
    const place = new OptionPlace('laneChannel', ['Channel'])
    throw place.unexpected('the class of a copy of @grpc/grpc-js', Given)
  }
  // Under a preload, the options in the code count, and only they.
  const Plain = plainChannel(Given)
  const make = (target: string, credentials: unknown, channelOptions: unknown) =>
    new Plain(target, credentials as ChannelCredentials, channelOptions as ChannelOptions) as unknown as GrpcChannel
  return {
    channelFactoryOverride: (target, credentials, channelOptions) =>
      new LaneChannel(make, target, credentials as never, channelOptions, resolved) as never,
  }
}
