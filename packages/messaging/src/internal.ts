// For the other @laneway packages: no promise to anybody else.

export { carriedText } from './carried-text.js'
export { warnOfCompetingLane, warnOfNoIsolation } from './competing-lane.js'
export { type LaneLedger, type OwnedInterval, ownerOf } from './lane-ledger.js'
export { LaneBeats } from './lease/lane-beats.js'
export type { LivingLanes } from './lease/lane-lease.js'
export { LaneSight, viewMs } from './lease/lane-sight.js'
export { createMessageLanes, MESSAGE_OPTIONS, type MessageDecision, type MessageLanes } from './message-lanes.js'
export { giveAtFirstCall, type MessagePatch, type MessagePatchOptions } from './message-patch.js'
export { type Headers, ownHeader, removeHeader, taggedHeaders } from './tagged-headers.js'
