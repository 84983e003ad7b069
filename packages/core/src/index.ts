// For users

export type { CallInfo } from './call-info.js'
export { bindLane, currentLane, detachLane, runInLane } from './context.js'
export { bindEmitter, type Emitter } from './emitter.js'
export { type EndpointTls, resolveEndpointTls } from './endpoint-tls.js'
export { LANEWAY_ERRORS, LanewayError, type LanewayErrorCode } from './errors.js'
export { channels, type DecisionEvent, type EgressEvent, type IngressEvent, type SourceEvent } from './events.js'
export type { IngressOptions } from './ingress.js'
export { kLane, type Lane, MAX_LANE_BYTES, MAX_LANE_TAGS, parseLane } from './lane.js'
export { laneKey } from './lane-key.js'
export { assertLogger, type LaneLog, type LaneLogOptions, logLanes } from './lane-log.js'
export { hintAtLateMiddleware } from './late-middleware.js'
export type { LaneLogEntry } from './log-entry.js'
export { type LaneLogFields, laneLogFields } from './log-fields.js'
export type { Logger } from './log-output.js'
export { type OwnLaneOptions, ownLane } from './own-lane.js'
export { isOwnShortage } from './own-shortage.js'
export type { LaneFormat, LaneProblem } from './reading.js'
export { leavesCarriersUnread, sentBaggage } from './sent-baggage.js'
export { BASE_TAG, isTag, MAX_TAG_BYTES } from './tag.js'
export type { Trust } from './trust.js'

// For the other @laneway packages

export {
  baggageMember,
  hasLaneMember,
  MAX_BAGGAGE_BYTES,
  MAX_BAGGAGE_MEMBERS,
  parseBaggageLane,
  parseMseLane,
  withLaneMember,
  withoutLaneMembers,
} from './baggage.js'
export { BAGGAGE_KEY, isLaneKey, MSE_BAGGAGE_KEY } from './baggage-key.js'
export { callNow, createCallInfo, currentRequest, duringCall, followRequests } from './call-info.js'
export { type LaneStorage, setLaneStorage } from './context-slot.js'
export { createEgressScope, type EgressScope, type EgressScopeOptions } from './egress-scope.js'
export { guardExpressClass, guardExpressLayers } from './express-layers.js'
export { guardFastifyLayers } from './fastify-layers.js'
export { isForbiddenAddress, isForbiddenName } from './forbidden-address.js'
export { forbidden, guardLookup, kAnyAddress, type Lookup } from './guarded-lookup.js'
export { laneOfCall } from './hand-set.js'
export { DEFAULT_HEADER, resolveHeaderName } from './header-name.js'
export { type ParsedHost, parseHost, parseHostHeader } from './host.js'
export { createIngress, decisionOf, type Ingress, type IngressDecision } from './ingress.js'
export { decideInjected } from './injected.js'
export { assertKnownKeys, assertOneOf, describe, nearest } from './known-keys.js'
export { assertLane, lanesSeen } from './lane.js'
export { POD_LABEL } from './own-lane.js'
export { percentDecode } from './percent-decoding.js'
export { isPrivateAddress } from './private-address.js'
export { publishEgress } from './publish-egress.js'
export { type LaneReading, readLane } from './reading.js'
export { expectRedirects, followsRedirect, isRedirect, tellOfAnswer, tellOfRedirect } from './redirects.js'
export type { IngressRequest } from './request.js'
export { needsContext, runListeners, runRequest, sharesContext } from './request-context.js'
export { type DecidesInjected, guardLayer } from './request-layer.js'
export { emitLanewayWarning, type Warn } from './warning.js'
