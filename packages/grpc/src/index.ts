export { type LaneChannelFactory, laneChannel } from './lane-channel-factory.js'
export type { GrpcResolver, LaneChannelOptions } from './lane-channel-options.js'
export { laneInterceptor } from './lane-interceptor.js'
