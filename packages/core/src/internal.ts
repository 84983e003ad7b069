// For the other @laneway packages. Nothing here is public: any release may change it.

export { type BackoffGrowth, backoffMs } from './backoff.js'
export { BoundedMap, type Generations, keep } from './bounded-map.js'
export { createCallInfo } from './context/call-info.js'
export { callNow, currentRequest, duringCall, followRequests } from './context/context.js'
export { type LaneStorage, setLaneStorage } from './context/context-slot.js'
export { reserveEmit } from './context/emitter.js'
export { guardExpressClass, guardExpressLayers } from './context/express-layers.js'
export { guardFastifyLayers } from './context/fastify-layers.js'
export { decideInjected } from './context/injected.js'
export { needsContext, runListeners, runRequest, sharesContext } from './context/request-context.js'
export { type DecidesInjected, guardLayer } from './context/request-layer.js'
export { parseControl, RESOLVER_SETTINGS } from './control/control-document.js'
export { isDisabled } from './control/disabled.js'
export { isLeftAlone, isOff, switchLaneway } from './control/switch.js'
export { endpointTls, readEgressOptions } from './egress/egress-options.js'
export { createEgressScope, type EgressScope, type EgressScopeOptions } from './egress/egress-scope.js'
export { resolveEndpointTls } from './egress/endpoint-tls.js'
export { isForbiddenAddress, isForbiddenName } from './egress/forbidden-address.js'
export { forbidden, guardLookup, kAnyAddress, type Lookup } from './egress/guarded-lookup.js'
export { type ParsedHost, parseHost, parseHostHeader } from './egress/host.js'
export { isOwnShortage } from './egress/own-shortage.js'
export { publishEgress } from './egress/publish-egress.js'
export { refusalOf } from './egress/refusal-of.js'
export {
  type HandledHost,
  type HandleMaker,
  kServiceHandles,
  type ServiceHandle,
  serviceHandle,
} from './egress/service-handle.js'
export { FileFollower, type FileFollowerOptions } from './file-follower.js'
export {
  contextOf,
  createIngress,
  decisionOf,
  type Ingress,
  type IngressDecision,
  reserveDecision,
} from './ingress/ingress.js'
export { hintAtLateMiddleware } from './ingress/late-middleware.js'
export { isPrivateAddress } from './ingress/private-address.js'
export type { IngressRequest } from './ingress/request.js'
export { downwardValue } from './lane/downward-value.js'
export { laneOfCall } from './lane/hand-set.js'
export { POD_LABEL } from './lane/own-lane.js'
export { assertLane, lanesSeen } from './lane/parse-lane.js'
export { type LimitedSignal, limitedSignal } from './limited-signal.js'
export {
  type ConfigClient,
  type CreatedSources,
  createSources,
  type SourceFactories,
  type SourcesConfig,
} from './loading/create-sources.js'
export { absentPackage, missingPackage } from './loading/missing-package.js'
export { type LanesDocument, type LanesHandler, type LanesHandlerOptions, lanesHandler } from './log/lanes-handler.js'
export { assertLogger } from './log/log-output.js'
export { oncePerKey } from './once-per-key.js'
export { describe } from './options/describe.js'
export { assertKnownKeys, assertOneOf } from './options/known-keys.js'
export { nearest } from './options/nearest.js'
export {
  callback,
  flag,
  MAX_TIMER_MS,
  milliseconds,
  numeric,
  type Option,
  oneOf,
  port,
  required,
  text,
  texts,
  unchecked,
  whole,
} from './options/option.js'
export { formatPath, OptionPlace } from './options/option-place.js'
export { nested, type OptionTable, type OptionValues, optional, readOptions } from './options/read-options.js'
export { PATH_HEADER, TRACE_HEADER } from './trace/lane-path.js'
export { encodePath, MAX_PATH_BYTES } from './trace/path-format.js'
export { removeHeader } from './trace/remove-header.js'
export { Trace, type TracedCall } from './trace/trace.js'
export { nameOfProcess, traceOption } from './trace/trace-options.js'
export { contextNow, laneOfContext, traceOf } from './trace/traced-lane.js'
export { waitInParts } from './wait-in-parts.js'
export { emitLanewayWarning, type Warn, warnOfFault } from './warning.js'
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
export { DEFAULT_HEADER, headerName, headerNames, resolveHeaderName, resolveHeaderNames } from './wire/header-name.js'
export { laneFormats } from './wire/lane-formats.js'
export { mseList, parseMseList } from './wire/mse-list.js'
export { percentDecode } from './wire/percent-decoding.js'
export { type LaneReading, readLane } from './wire/reading.js'
export { expectRedirects, followsRedirect, isRedirect, reportAnswer, reportRedirect } from './wire/redirects.js'
export { leavesCarriersUnread, sentBaggage } from './wire/sent-baggage.js'
