// For users

export type { CallInfo } from './context/call-info.js'
export { bindLane, currentLane, detachLane, inLane, runInLane } from './context/context.js'
export { bindEmitter, type Emitter } from './context/emitter.js'
export type { EgressOptions, EgressSettings } from './egress/egress-options.js'
export { type EndpointTls, resolveEndpointTls } from './egress/endpoint-tls.js'
export { isOwnShortage } from './egress/own-shortage.js'
export { LANEWAY_ERRORS, LanewayError, type LanewayErrorCode, type OptionPath } from './errors.js'
export type { IngressOptions } from './ingress/ingress-options.js'
export { hintAtLateMiddleware } from './ingress/late-middleware.js'
export type { PeerSocket, RequestView } from './ingress/request-view.js'
export type { Trust } from './ingress/trust.js'
export { kLane, type Lane } from './lane/lane.js'
export { laneKey } from './lane/lane-key.js'
export { type OwnLaneOptions, ownLane } from './lane/own-lane.js'
export { MAX_LANE_BYTES, MAX_LANE_TAGS, parseLane } from './lane/parse-lane.js'
export { BASE_TAG, isTag, MAX_TAG_BYTES } from './lane/tag.js'
export {
  channels,
  type DecisionEvent,
  type EgressEvent,
  type EventChannel,
  type IngressEvent,
  type LanewayEvents,
  type SourceEvent,
} from './log/events.js'
export { assertLogger, type LaneLog, type LaneLogOptions, logLanes } from './log/lane-log.js'
export type { LaneLogEntry } from './log/log-entry.js'
export { type LaneLogFields, laneLogFields } from './log/log-fields.js'
export type { Logger } from './log/log-output.js'
export type { LaneFormat, LaneProblem } from './wire/reading.js'
export { leavesCarriersUnread, sentBaggage } from './wire/sent-baggage.js'

// For the other @laneway packages

export { callNow, currentRequest, duringCall, followRequests } from './context/call-context.js'
export { createCallInfo } from './context/call-info.js'
export { type LaneStorage, setLaneStorage } from './context/context-slot.js'
export { guardExpressClass, guardExpressLayers } from './context/express-layers.js'
export { guardFastifyLayers } from './context/fastify-layers.js'
export { decideInjected } from './context/injected.js'
export { needsContext, runListeners, runRequest, sharesContext } from './context/request-context.js'
export { type DecidesInjected, guardLayer } from './context/request-layer.js'
export { createEgressScope, type EgressScope, type EgressScopeOptions } from './egress/egress-scope.js'
export { isForbiddenAddress, isForbiddenName } from './egress/forbidden-address.js'
export { forbidden, guardLookup, kAnyAddress, type Lookup } from './egress/guarded-lookup.js'
export { type ParsedHost, parseHost, parseHostHeader } from './egress/host.js'
export { publishEgress } from './egress/publish-egress.js'
export { createIngress, decisionOf, type Ingress, type IngressDecision } from './ingress/ingress.js'
export { isPrivateAddress } from './ingress/private-address.js'
export type { IngressRequest } from './ingress/request.js'
export { laneOfCall } from './lane/hand-set.js'
export { POD_LABEL } from './lane/own-lane.js'
export { assertLane, lanesSeen } from './lane/parse-lane.js'
export { describe } from './options/describe.js'
export { assertKnownKeys, assertOneOf } from './options/known-keys.js'
export { nearest } from './options/nearest.js'
export { waitInParts } from './wait-in-parts.js'
export { emitLanewayWarning, type Warn } from './warning.js'
export {
  baggageMember,
  hasLaneMember,
  MAX_BAGGAGE_BYTES,
  MAX_BAGGAGE_MEMBERS,
  parseBaggageLane,
  parseMseLane,
  withLaneMember,
  withoutLaneMembers,
} from './wire/baggage.js'
export { BAGGAGE_KEY, isLaneKey, MSE_BAGGAGE_KEY } from './wire/baggage-key.js'
export { DEFAULT_HEADER, resolveHeaderName } from './wire/header-name.js'
export { percentDecode } from './wire/percent-decoding.js'
export { type LaneReading, readLane } from './wire/reading.js'
export { expectRedirects, followsRedirect, isRedirect, tellOfAnswer, tellOfRedirect } from './wire/redirects.js'
