// For the other @laneway packages: no promise to anybody else.

export { carriedText } from './carried-text.js'
export { warnOfCompetingLane, warnOfNoIsolation } from './competing-lane.js'
export { LaneBeats } from './lease/lane-beats.js'
export type { LivingLanes } from './lease/lane-lease.js'
export { LaneSight, viewMs } from './lease/lane-sight.js'
export { decideOwner, type OwnerDecision } from './log/decide-owner.js'
export { GroupReport } from './log/group-report.js'
export { LaneLedgerView, type LedgerEntry } from './log/lane-ledger-view.js'
export { defaultLaneGroup, ledgerKey, ledgerValue, parseLedgerKey, type StartOffsets } from './log/ledger-record.js'
export { type OwnedInterval, ownerOf } from './log/owner.js'
export { END_LEAD_MS, KEEP_ENDED_MS, LEAD_MS, MAX_VIEW_AGE_MS } from './log/timing.js'
export { createMessageLanes, MESSAGE_OPTIONS, type MessageDecision, type MessageLanes } from './message-lanes.js'
export { giveAtFirstCall, type MessagePatch, type MessagePatchOptions } from './message-patch.js'
export { persistently } from './persistently.js'
export {
  connectionOf,
  type IoredisClient,
  isIoredis,
  isRedisClient,
  type NodeRedisClient,
  type RedisClient,
  type RedisConnection,
} from './redis/redis-client.js'
export { RedisScript } from './redis/redis-script.js'
export { type Headers, ownHeader, removeHeader, taggedHeaders } from './tagged-headers.js'
