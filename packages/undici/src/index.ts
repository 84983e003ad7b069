// For users
export { composeLane } from './compose-lane.js'
export type { LaneableDispatcher, LaneableInterceptor } from './dispatcher/dispatcher.js'
// For the other @laneway packages
export { type ChoiceListener, kChoiceListener } from './hop/choice-listener.js'
export { builtInDispatcher, createFetchWatch, createLaneFetch, type LaneFetch } from './lane-fetch.js'
export type { ComposeLaneOptions, LaneEgressOptions } from './options.js'
export { createUndiciPatch, type UndiciPatch } from './undici-patch.js'
