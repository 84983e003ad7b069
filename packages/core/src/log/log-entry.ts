import { requestIdOf } from '../ingress/request-id.js'
import type { Lane } from '../lane/lane.js'
import type { DecisionEvent, EgressEvent, IngressEvent, MessageEvent, MessageOutcome } from './events.js'

/** One line of the log, as data. Fields without a value are left out. */
export interface LaneLogEntry {
  /** ISO 8601, UTC. */
  readonly time: string
  readonly event: 'ingress' | 'decision' | 'egress' | 'message'
  readonly method?: string
  /** Without the query, which may hold secrets. */
  readonly path?: string
  /** Trace id, request id or a number; that of the incoming request. Left out where a call belongs to none. */
  readonly id?: string
  /** As on the wire; left out for no lane. */
  readonly lane?: string
  /** Where the lane came from: a carrier, `rule`, `own`, or `code` when the program itself set it. */
  readonly source?: string
  /** The name of the rule. */
  readonly rule?: string
  readonly service?: string
  /** `host:port` that was chosen. */
  readonly endpoint?: string
  /** The host of an egress. */
  readonly host?: string
  /** Of a message: `amqp`, `bullmq`, `kafka`, `redis-streams`, `rocketmq`. */
  readonly system?: string
  /** The queue or topic of a message. */
  readonly destination?: string
  readonly outcome: string
  /** In words. */
  readonly reason: string
}

/** Longer paths are cut. */
const MAX_PATH = 200

interface Origin {
  readonly lane: Lane | undefined
  readonly source: string | undefined
  readonly rule: string | undefined
}

/** What the ingress said about a request, for the lines of the calls made for it. */
const origins = new WeakMap<object, Origin>()

export function ingressEntry(event: IngressEvent, now: Date): LaneLogEntry {
  const { request, lane, source, rule } = event
  origins.set(request, { lane, source, rule })
  const { originalUrl } = request as { originalUrl?: string }
  return entry(now, 'ingress', {
    method: request.method,
    path: pathOf(originalUrl ?? request.url),
    id: requestIdOf(request),
    lane: lane?.header,
    source,
    rule,
    outcome: ingressOutcome(event),
    reason: ingressReason(event),
  })
}

function ingressOutcome({ lane, stripped, problem, source }: IngressEvent): string {
  if (stripped) return 'stripped'
  if (problem !== undefined) return 'invalid'
  if (lane === undefined) return 'untagged'
  return source === 'rule' || source === 'own' ? 'coloured' : 'accepted'
}

function ingressReason({
  lane,
  source,
  rule,
  problem,
  stripped,
  escaped,
  contradicted,
  request,
}: IngressEvent): string {
  const reasons: string[] = []
  const peer = request.socket?.remoteAddress ?? 'unknown'
  if (stripped) reasons.push(`the sender ${peer} is not believed (trust), its tag was removed`)
  if (problem !== undefined) reasons.push(PROBLEMS[problem] ?? `what it carried is no lane (${problem})`)
  if (source === 'rule') reasons.push(rule === undefined ? 'a rule gave the lane' : `rule ${rule} gave the lane`)
  else if (source === 'own') reasons.push('untagged, so the own lane of this instance holds')
  else if (lane !== undefined)
    reasons.push(`the sender ${peer} is believed, its ${CARRIERS[source ?? 'header']} says it`)
  else if (reasons.length === 0) reasons.push('the request carries no tag')
  if (contradicted) reasons.push('another carrier names another lane')
  if (escaped) reasons.push('a request without lane came to an instance of a lane')
  return reasons.join('; ')
}

const CARRIERS = { header: 'header', baggage: 'baggage', 'mse-baggage': 'baggage of MSE' } as const
const PROBLEMS: Readonly<Record<string, string>> = {
  invalid: 'what it carried is no lane, and was removed',
  conflict: 'it carried several different lanes, and all were removed',
}

export function decisionEntry(
  { service, lane, outcome, address, reason, call }: DecisionEvent,
  now: Date,
): LaneLogEntry {
  return entry(now, 'decision', {
    method: call?.method,
    path: pathOf(call?.path),
    ...originOf(call?.request, lane),
    service,
    endpoint: address,
    outcome,
    reason: reason(),
  })
}

export function egressEntry({ host, lane, action, call }: EgressEvent, now: Date): LaneLogEntry {
  return entry(now, 'egress', {
    method: call?.method,
    path: pathOf(call?.path),
    ...originOf(call?.request, lane),
    service: call?.service,
    endpoint: call?.address,
    host,
    outcome: action,
    reason: EGRESS_REASONS[action],
  })
}

const EGRESS_REASONS: Readonly<Record<EgressEvent['action'], string>> = {
  forwarded: 'the tag goes along',
  blocked: 'the host is outside, so the tag stays here (propagateTo)',
  untagged: 'the calling code runs in no lane',
  invalid: 'a tag that the code set by hand is no lane; it was removed',
}

export function messageEntry(event: MessageEvent, now: Date): LaneLogEntry {
  const { system, destination, lane, outcome, problem, stripped } = event
  const reasons: string[] = []
  if (stripped) reasons.push('its sender is not believed (trust), its tag was removed')
  if (problem !== undefined) reasons.push(PROBLEMS[problem] ?? `what it carried is no lane (${problem})`)
  reasons.push(MESSAGE_REASONS[outcome])
  const fields = { lane: lane?.header, system, destination, outcome, reason: reasons.join('; ') }
  return entry(now, 'message', fields)
}

const MESSAGE_REASONS: Readonly<Record<MessageOutcome, string>> = {
  own: 'this consumer belongs to its lane',
  base: 'a consumer of base handles it',
  'stand-in': 'no consumer of its lane lives, so base handles it in its lane',
  strayed: 'its consumer belongs to another lane, and consumes without isolation',
  forwarded: 'base has moved it to the queue of its lane',
  returned: 'base has moved it to the queue of its lane again: the lane lives and was too slow',
  waiting: 'no consumer of its lane lives, so it waits (whenLaneMissing)',
  skipped: 'the other side handles it',
}

/** A call runs in the lane of its request unless the program says otherwise. */
function originOf(request: object | undefined, lane: Lane | undefined): Partial<Record<keyof LaneLogEntry, string>> {
  const origin = request === undefined ? undefined : origins.get(request)
  const id = request === undefined ? undefined : requestIdOf(request)
  if (lane === undefined) return { ...(id !== undefined && { id }) }
  const own = origin !== undefined && origin.lane?.header === lane.header
  return {
    ...(id !== undefined && { id }),
    lane: lane.header,
    source: own ? (origin.source ?? 'header') : 'code',
    ...(own && origin.rule !== undefined && { rule: origin.rule }),
  }
}

function entry(
  now: Date,
  event: LaneLogEntry['event'],
  fields: Partial<Record<keyof LaneLogEntry, string | undefined>>,
): LaneLogEntry {
  const known = Object.entries(fields).filter(([, value]) => value !== undefined)
  return { time: now.toISOString(), event, ...Object.fromEntries(known) } as unknown as LaneLogEntry
}

/** Printable, and without what follows the `?`. */
function pathOf(url: string | undefined): string | undefined {
  if (typeof url !== 'string') return undefined
  // An absolute form may hold user and password.
  const [path = ''] = url.replace(/^[a-z][a-z+.-]*:\/\/[^/?#]*/i, '').split(/[?#]/, 1)
  const plain = path.replace(/[^\x21-\x7e]/g, '?')
  return plain.length > MAX_PATH ? `${plain.slice(0, MAX_PATH)}...` : plain || '/'
}
