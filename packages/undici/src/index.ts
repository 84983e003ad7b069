export { composeLane } from './compose-lane.js'
export type { LaneableDispatcher, LaneableInterceptor } from './dispatcher/dispatcher.js'
export { createLaneFetch, type LaneFetch } from './lane-fetch.js'
export type { ComposeLaneOptions } from './options.js'
