export { type LaneChannelFactory, laneChannel } from './client/lane-channel-factory.js'
export type { LaneChannelOptions } from './lane-channel-options.js'
export { laneInterceptor } from './server/lane-interceptor.js'
