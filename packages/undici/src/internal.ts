// For the other @laneway packages. Nothing here is public: any release may change it.

export { composeAlways } from './compose-lane.js'
export { type ChoiceListener, kChoiceListener } from './hop/service-hop.js'
export { builtInDispatcher, createFetchWatch, watchFetchOfNext } from './lane-fetch.js'
export { createUndiciPatch, type UndiciPatch } from './undici-patch.js'
