// For the other @laneway packages. Nothing here is public: any release may change it.

export { type ChoiceListener, kChoiceListener } from './hop/choice-listener.js'
export { builtInDispatcher, createFetchWatch } from './lane-fetch.js'
export { createUndiciPatch, type UndiciPatch } from './undici-patch.js'
