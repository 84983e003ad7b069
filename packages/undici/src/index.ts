// For users
export { composeLane } from './compose-lane.js'
export type { LaneableDispatcher, LaneableInterceptor } from './dispatcher.js'
export { createLaneFetch, type LaneFetch } from './lane-fetch.js'
export type { ComposeLaneOptions, LaneEgressOptions } from './options.js'

// For the other @laneway packages
