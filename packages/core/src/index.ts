export type { CallInfo } from './context/call-info.js'
export { bindLane, currentLane, detachLane, inLane, runInLane } from './context/context.js'
export { bindEmitter, type Emitter } from './context/emitter.js'
export {
  type Control,
  type ControlledResolver,
  type ControlOptions,
  type ControlState,
  createControl,
} from './control/control.js'
export type { EgressOptions, EgressSettings } from './egress/egress-options.js'
export type { EgressScopeOptions } from './egress/egress-scope.js'
export type { EndpointTls } from './egress/endpoint-tls.js'
export { LANEWAY_ERRORS, LanewayError, type LanewayErrorCode, type OptionPath } from './errors.js'
export type { IngressOptions } from './ingress/ingress-options.js'
export type { IngressRequest } from './ingress/request.js'
export type { PeerSocket, RequestView } from './ingress/request-view.js'
export type { Trust } from './ingress/trust.js'
export { kLane, type Lane } from './lane/lane.js'
export { laneKey } from './lane/lane-key.js'
export { type OwnLaneOptions, ownLane } from './lane/own-lane.js'
export { MAX_LANE_BYTES, MAX_LANE_TAGS, parseLane } from './lane/parse-lane.js'
export { BASE_TAG, isTag, MAX_TAG_BYTES } from './lane/tag.js'
export {
  type ControlEvent,
  channels,
  type DecisionEvent,
  type EgressEvent,
  type EventChannel,
  type GroupConsumer,
  type GroupEvent,
  type IngressEvent,
  type LanewayEvents,
  type MessageEvent,
  type MessageOutcome,
  type SourceEvent,
} from './log/events.js'
export { type LaneLog, type LaneLogOptions, logLanes } from './log/lane-log.js'
export type { LaneLogEntry } from './log/log-entry.js'
export { type LaneLogFields, laneLogFields } from './log/log-fields.js'
export type { Logger } from './log/logger.js'
export { setLogger } from './log/process-logger.js'
export { expectPath, type PathSource, readPath } from './trace/expect-path.js'
export type { LanePath, PathCall } from './trace/lane-path.js'
export { parsePath } from './trace/path-format.js'
export { formatPath, summaryOfPath } from './trace/path-text.js'
export type { TraceOptions } from './trace/trace-options.js'
export { type TracedAnswer, type TracePathOptions, tracePath } from './trace/trace-path.js'
export type { Warn, WarningFacts } from './warning.js'
export type { LaneFormat, LaneProblem } from './wire/reading.js'
