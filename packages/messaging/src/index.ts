export { type MessageEvent, type MessageOutcome, messages } from './message-event.js'
export { eachInLane, type MessageBatch, messageLane } from './message-lane.js'
export type { MessageOptions } from './message-lanes.js'
export type { MessageTrust } from './message-trust.js'
