// For users

export { type MessageEvent, type MessageOutcome, messages } from './message-event.js'
export { eachInLane, type MessageBatch, messageLane } from './message-lane.js'
export type { MessageTrust } from './message-trust.js'

// For the other @laneway packages

export { carriedText } from './carried-text.js'
export { warnOfCompetingLane } from './competing-lane.js'
export type { LaneLease, LivingLanes } from './lane-lease.js'
export { type LaneLedger, type OwnedInterval, ownerOf } from './lane-ledger.js'
export {
  createMessageLanes,
  MESSAGE_OPTIONS,
  type MessageDecision,
  type MessageLanes,
  type MessageOptions,
} from './message-lanes.js'
export { type Headers, ownHeader, removeHeader, taggedHeaders } from './tagged-headers.js'
