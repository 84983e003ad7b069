import { BoundedMap } from '../bounded-map.js'
import { isOff } from '../control/switch.js'
import type { Lane } from '../lane/lane.js'
import { parseLane } from '../lane/parse-lane.js'
import { BASE_TAG } from '../lane/tag.js'
import { channels, type IngressEvent } from '../log/events.js'
import { TRACE_HEADER } from '../trace/lane-path.js'
import { beginTrace, continueTrace, removeHiddenTrace, type TraceRules } from '../trace/trace-request.js'
import { findCarriers, hasCarrierName, mayBeCut } from '../wire/carriers.js'
import { isContradicted, type LaneFormat, type LaneProblem, readLane } from '../wire/reading.js'
import { removeLane } from '../wire/refusal.js'
import { type IngressOptions, resolveIngressOptions } from './ingress-options.js'
import { presentName } from './present-name.js'
import type { IngressRequest } from './request.js'
import { viewOf } from './request-view.js'

/** What an ingress decided about a request. */
export interface IngressDecision {
  /** The lane the request runs in; `undefined` for none. */
  readonly lane: Lane | undefined
  /** A sender was not believed, or sent no lane: what it sent has been removed. */
  readonly stripped: boolean
  /** What is kept for the code of the request in place of the lane, with its trace. Left out for a request without one. */
  readonly context?: Lane | undefined
}

/** What is kept for the code of a request: its lane, with its trace if it has one. */
export function contextOf(decision: IngressDecision): Lane | undefined {
  return decision.context ?? decision.lane
}

/**
 * Decides the lane of an incoming request and removes what was refused. A request is decided and counted once: mounted
 * twice, or an adapter inside another, the first decision stands, unless it is provisional. Never throws.
 */
export type Ingress = (request: IngressRequest) => IngressDecision

/** Registered, so that adapters which resolved to different copies of this package agree. */
const kDecision = Symbol.for('laneway.decision')

/** Set while a decision is provisional. The value is the lane that rules or `ownLane` gave, which the request itself does not show. */
const kProvisional = Symbol.for('laneway.decision.provisional')

type DecidedRequest = IngressRequest & {
  [kDecision]?: IngressDecision | undefined
  [kProvisional]?: { readonly given: Lane | undefined } | undefined
}

/** What an ingress decided about a request; `undefined` when none has seen it. Never throws. */
export function decisionOf(request: object): IngressDecision | undefined {
  return (request as DecidedRequest)[kDecision]
}

/** Gives a request the property of its decision, without one, while properties are cheap: see `reserveEmit`. */
export function reserveDecision(request: object): void {
  if (!(kDecision in request)) (request as DecidedRequest)[kDecision] = undefined
}

const NOT_GIVEN = Object.freeze({ given: undefined })
const UNTAGGED: IngressDecision = Object.freeze({ lane: undefined, stripped: false })
const STRIPPED: IngressDecision = Object.freeze({ lane: undefined, stripped: true })
/**
 * Decisions are interned per lane, so that a tagged request allocates none. A bounded Map: a WeakMap grows to what arrives
 * between two collections, and clients choose that (benchmark case memory/resolver).
 */
const ACCEPTED = new BoundedMap<Lane, IngressDecision>(512)

/**
 * Creates the one function that all ingress adapters share.
 *
 * @param where - the adapter's name, for messages
 * @throws LanewayError `LANEWAY_INVALID_OPTION`, `LANEWAY_INVALID_TAG`
 */
export function createIngress(where: string, options: IngressOptions = {}): Ingress {
  const { names, formats, trusts, rules, own, colour, provisional, trace, warn } = resolveIngressOptions(where, options)
  const tracing: TraceRules = { settings: trace, ownLane: own?.header, trusts, allows: rules?.tracesOf }
  /** Where the lane came from that was decided last, for a traced request. */
  let decidedBy: LaneFormat | 'rule' | 'own' | undefined
  const [header] = names
  const isList = names.length > 1
  const believesAll = options.trust === 'internal'
  /** Set while a tag believed behind a proxy is worth a warning. */
  let watchesProxies = (options.trust ?? 'private') === 'private'
  const headerFirst = formats[0] === 'header'
  /** The decision of the coloured request before: a service sees few lanes, and this saves a look-up. */
  let lastAccepted = UNTAGGED
  /** What its header said: comparing a new string takes less than hashing it (benchmark case ingress-step/http). */
  let lastValue: string | undefined

  return function decide(request: DecidedRequest) {
    const earlier = request[kDecision]
    if (earlier !== undefined) {
      const first = request[kProvisional]
      return first === undefined || provisional ? earlier : decideAgain(request, earlier, first.given)
    }
    if (isOff()) {
      // Kept, so that an ingress further in does not decide otherwise when Laneway is on again meanwhile.
      request[kDecision] = UNTAGGED
      return UNTAGGED
    }
    const decision = request.headers[TRACE_HEADER] === undefined ? decideFirst(request) : decideTraced(request)
    request[kDecision] = decision
    if (provisional)
      request[kProvisional] =
        decision.lane === undefined || names.some(name => findCarriers(request, name).present)
          ? NOT_GIVEN
          : { given: decision.lane }
    return decision
  }

  function decideAgain(request: DecidedRequest, earlier: IngressDecision, given: Lane | undefined): IngressDecision {
    request[kProvisional] = undefined
    let decision = decideFirst(request, earlier)
    if (decision.lane === undefined && !decision.stripped && given !== undefined) decision = accepted(given)
    if (earlier.stripped && !decision.stripped) decision = { lane: decision.lane, stripped: true }
    if (earlier.context !== undefined) {
      const { lane, stripped } = decision
      decision = { lane, stripped, context: continueTrace(tracing, request, earlier.context, lane) }
    }
    request[kDecision] = decision
    return decision
  }

  /** The request says something about a trace. */
  function decideTraced(request: IngressRequest): IngressDecision {
    const { lane, stripped } = decideRare(request, undefined, isList ? presentName(request, names) : header)
    const by = () => {
      if (decidedBy !== 'rule') return decidedBy
      const rule = ruleOf(request)
      return rule === undefined ? 'rule' : `rule ${rule}`
    }
    return { lane, stripped, context: beginTrace(tracing, request, lane, by) }
  }

  /** @param earlier - the provisional decision before this one. What it published is not published again */
  function decideFirst(request: IngressRequest, earlier?: IngressDecision): IngressDecision {
    const { headers } = request
    const name = isList ? presentName(request, names) : header
    if (
      headers[name] === undefined &&
      headers['baggage'] === undefined &&
      rules === undefined &&
      own === undefined &&
      (believesAll || !(isList ? hasAnyName(request) : hasCarrierName(request, header))) &&
      !mayBeCut(request)
    ) {
      if (channels.ingress.hasSubscribers && earlier === undefined)
        publish(request, undefined, undefined, undefined, false, false, false)
      return UNTAGGED
    }
    return (earlier === undefined ? decideOrdinary(request, name) : undefined) ?? decideRare(request, earlier, name)
  }

  /** What nearly all coloured requests carry: one header line with one tag, from a believed sender. */
  function decideOrdinary(request: IngressRequest, name: string): IngressDecision | undefined {
    const value = request.headers[name]
    if (!headerFirst || typeof value !== 'string' || request.headers['baggage'] !== undefined) return undefined
    if (mayBeCut(request)) return undefined
    const lane = value === lastValue ? lastAccepted.lane : parseLane(value)
    if (lane === undefined || lane.tags.length > 1 || !trusts(request)) return undefined
    if (watchesProxies && request.headers['x-forwarded-for'] !== undefined) warnOfProxy(lane)
    if (channels.ingress.hasSubscribers) {
      publish(request, lane, 'header', undefined, false, own !== undefined && lane.header === BASE_TAG, false)
    }
    if (lane !== lastAccepted.lane) lastAccepted = accepted(lane)
    lastValue = value
    return lastAccepted
  }

  function decideRare(request: IngressRequest, earlier: IngressDecision | undefined, name: string): IngressDecision {
    let lane: Lane | undefined
    let source: LaneFormat | 'rule' | 'own' | undefined
    let problem: LaneProblem | undefined
    let stripped = false
    let contradicted = false
    removeHiddenTrace(tracing, request)
    const { view, present } = findCarriers(request, name)
    if (present || (!believesAll && hasAnyName(request))) {
      if (!trusts(request)) stripped = true
      else if (present) {
        const reading = readLane(view, name, formats)
        lane = reading?.lane
        problem = reading?.problem
        if (lane !== undefined) {
          source = reading?.format
          if (watchesProxies && request.headers['x-forwarded-for'] !== undefined) warnOfProxy(lane)
        }
        if (channels.ingress.hasSubscribers) contradicted = isContradicted(view, name, formats, reading)
      }
      if (stripped || problem !== undefined) for (const each of names) removeLane(request, each)
    }
    if (lane === undefined && rules !== undefined) {
      lane = byRule(request)
      if (lane !== undefined) source = 'rule'
    }
    if (lane === undefined && colour !== undefined) {
      lane = colour
      source = 'own'
    }
    decidedBy = source
    const news = earlier === undefined || stripped || problem !== undefined || (lane ?? earlier.lane) !== earlier.lane
    if (news && channels.ingress.hasSubscribers) {
      const escaped = own !== undefined && (lane === undefined || lane.header === BASE_TAG)
      publish(
        request,
        lane,
        source,
        problem,
        stripped,
        escaped,
        contradicted,
        source === 'rule' ? ruleOf(request) : undefined,
      )
    }
    if (lane === undefined) return stripped || problem !== undefined ? STRIPPED : UNTAGGED
    if (stripped || problem !== undefined) return { lane, stripped: true }
    return accepted(lane)
  }

  function hasAnyName(request: IngressRequest): boolean {
    return names.some(name => hasCarrierName(request, name))
  }

  function warnOfProxy(lane: Lane): void {
    watchesProxies = false
    try {
      warn(
        `${where}: a request with X-Forwarded-For was believed when it said lane ${lane.header}, because the address of ` +
          "the proxy in front is private. If clients outside can send the tag through it, set trust: 'edge' " +
          "(LANEWAY_TRUST=edge); if only services of your own use it, trust: 'internal' (LANEWAY_TRUST=internal) says so",
      )
    } catch {
      // Request data never throws.
    }
  }

  function ruleOf(request: IngressRequest): string | undefined {
    try {
      return rules?.ruleOf?.(viewOf(request))
    } catch {
      return undefined
    }
  }

  function byRule(request: IngressRequest): Lane | undefined {
    try {
      const lane = rules?.(viewOf(request))
      return typeof lane?.header === 'string' ? lane : undefined
    } catch {
      return undefined
    }
  }
}

function accepted(lane: Lane): IngressDecision {
  return ACCEPTED.of(lane, accept)
}

function accept(lane: Lane): IngressDecision {
  return Object.freeze({ lane, stripped: false })
}

function publish(
  request: IngressRequest,
  lane: Lane | undefined,
  source: LaneFormat | 'rule' | 'own' | undefined,
  problem: LaneProblem | undefined,
  stripped: boolean,
  escaped: boolean,
  contradicted: boolean,
  rule?: string | undefined,
): void {
  const event = { lane, source, problem, stripped, escaped, contradicted, ...(rule !== undefined && { rule }) }
  channels.ingress.publish(Object.defineProperty(event, 'request', { value: request }) as IngressEvent)
}
