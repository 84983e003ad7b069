import type { ClientRequest } from 'node:http'
import { type CallInfo, channels, currentLane, kLane, type Lane } from '@laneway/core'
import {
  contextNow,
  createCallInfo,
  currentRequest,
  duringCall,
  followsRedirect,
  hasLaneMember,
  laneOfCall,
  lanesSeen,
  publishEgress,
  sentBaggage,
  TRACE_HEADER,
  type TracedCall,
  traceOf,
  withoutLaneMembers,
} from '@laneway/core/internal'
import type { Choice } from '@laneway/discovery'
import { classOf, type HopOptions, type OutgoingRequest } from '../node-internals.js'
import type { ResolvedLaneAgentOptions } from '../options.js'
import { baseUrl, watchRedirect } from './redirect.js'
import { isRendered, laneValues, values, write, writeLane } from './request-head.js'
import {
  hookDestroy,
  hookRequest,
  hooksOf,
  isReadByCache,
  ownEmit,
  type RequestHooks,
  type RequestWatcher,
} from './request-hooks.js'
import { scopeHost, type Target } from './target.js'

interface Tagged {
  [kLane]?: Lane | null | undefined
}

const kOutgoing = Symbol('laneway.outgoing')

type HookedRequest = OutgoingRequest & { [kOutgoing]: OutgoingLane }

/** Node calls it to render the head. No header can be set later. */
function implicitHeader(this: HookedRequest): void {
  const outgoing = this[kOutgoing]
  outgoing.render()
  classOf(this)._implicitHeader.call(this)
}

/**
 * The lane of one outgoing request, and the part of its head that carries it. Made in the caller's context when the user makes
 * the call; nothing reads that context later.
 */
export class OutgoingLane implements RequestHooks {
  readonly request: ClientRequest
  readonly target: Target
  /** The options as the caller gave them. */
  readonly hop: HopOptions
  /** The host whose scope counted. */
  host: string
  /** `undefined` for base. Out of scope: the lane that is not sent. */
  lane: Lane | undefined
  readonly caller: Lane | undefined
  emit: ClientRequest['emit'] | undefined
  /** Set for a request to a service. */
  watcher: RequestWatcher | undefined
  readonly asksPath: boolean
  /** Records the attempt that goes on now, for a traced request. */
  traced: TracedCall | undefined
  /** The target has turned out to be no service: Laneway, not the caller, set the tag that the head has now. */
  #left = false
  /** The incoming request that the call was made for, while a log follows requests. */
  readonly #incoming = currentRequest()
  readonly #options: ResolvedLaneAgentOptions
  #inScope: boolean
  readonly #service: boolean
  /** A hand-set tag was seen, so redirects of the request are watched. */
  #watched = false
  /** The request follows a redirect: a hand-set tag comes from the call before. */
  #redirected = false
  #reported = false
  #kept = false

  /**
   * @param service - the service that the target names; a service is in scope wherever it is
   * @throws LanewayError `LANEWAY_HEADERS_SENT`
   */
  constructor(
    request: ClientRequest,
    hop: HopOptions,
    target: Target,
    service: string | undefined,
    options: ResolvedLaneAgentOptions,
  ) {
    this.request = request
    this.target = target
    this.hop = hop
    this.#options = options
    this.#service = service !== undefined
    this.host = service === undefined ? this.#hostItself() : target.hostname
    this.#inScope = service !== undefined || options.scope.includes(this.host)
    const hooks = hooksOf(request)
    this.caller = hooks === undefined ? contextNow() : hooks.caller
    const decided = (request as Tagged)[kLane] ?? (hop as Tagged)[kLane]
    this.lane = decided === undefined ? currentLane() : (decided ?? undefined)
    this.traced =
      hooks === undefined ? traceOf(this.caller)?.call(service ?? this.host, this.lane, this.#outcome()) : hooks.traced
    this.asksPath = hooks === undefined ? this.traced !== undefined : hooks.asksPath
    this.emit = ownEmit(request)
    if (options.keepHandSet) this.#watchHandSet(true)
    hookRequest(request, this)
    if (this.traced !== undefined && !Object.hasOwn(request, 'destroy')) hookDestroy(request)
    this.settle()
    if (isRendered(request)) this.report()
    else {
      const hooked = request as HookedRequest
      hooked[kOutgoing] = this
      hooked._implicitHeader = implicitHeader as () => void
    }
  }

  /**
   * Writes the decision into the head of the request, also when the caller has changed the head since.
   *
   * @throws LanewayError `LANEWAY_HEADERS_SENT` when the head can no longer be changed
   */
  settle(): void {
    if (this.#inScope) this.#tag()
    else this.#strip()
    this.#ask()
    ;(this.request as Tagged)[kLane] = this.lane ?? null
  }

  /** The head is about to be written. A fault of Laneway must not throw into the caller's `end()` or `write()`. */
  render(): void {
    try {
      if (this.#options.keepHandSet) this.#watchHandSet(false)
      this.settle()
      this.watcher?.rendering()
      this.report()
    } catch (error) {
      if (this.#options.onFault === undefined) throw error
      this.#options.onFault(error)
    }
  }

  /** Reads what the caller has set by hand until now. */
  settleUnlessRendered(): void {
    if (!isRendered(this.request)) this.settle()
  }

  isCached(): boolean {
    return this.#inScope && (this.#service || lanesSeen()) && isReadByCache(this.hop)
  }

  /** Whether the tag must be removed again if the target turns out to be no service. */
  isTaggedForService(): boolean {
    return this.lane !== undefined && !this.#options.scope.includes(this.#hostItself())
  }

  /**
   * The target has turned out to be no service: the scope of its host counts from now on.
   *
   * @throws LanewayError `LANEWAY_HEADERS_SENT`
   */
  leaveService(): void {
    this.#left = true
    this.host = this.#hostItself()
    this.#inScope = this.#options.scope.includes(this.host)
    if (this.traced !== undefined) this.traced.outcome = this.#outcome()
    if (this.#inScope) return
    this.settle()
    this.#reported = false
    if (isRendered(this.request)) this.report()
  }

  /** Notes where the attempt that follows goes. */
  chosen(choice: Choice): void {
    if (this.traced === undefined) return
    if (this.traced.status !== 'open') this.traced = this.traced.again()
    this.traced?.chosen(choice)
  }

  /** Publishes that the request goes out; once, when its head is final. */
  report(): void {
    if (this.#reported) return
    this.#reported = true
    if (channels.egress.hasSubscribers) this.#publishWithInfo()
    else this.#publish()
  }

  #publishWithInfo(): void {
    duringCall(this.info(), () => this.#publish())
  }

  #publish(): void {
    const { lane } = this
    if (lane === undefined) {
      if (this.#service && !this.#left) publishEgress(this.host, undefined, 'untagged')
    } else if (this.#inScope) publishEgress(this.host, lane, 'forwarded')
    else if (!this.#kept) this.#options.scope.blocked(this.host, lane)
  }

  /** Describes the call for events. */
  info(): CallInfo {
    const { method, path } = this.request
    const { service, address } = this.watcher ?? {}
    return createCallInfo({
      method,
      path: this.target.originForm ?? path,
      service,
      address,
      request: this.#incoming,
    })
  }

  #hostItself(): string {
    return scopeHost(this.target, values(this.request, 'host'), this.#options.scope)
  }

  /**
   * With `keepHandSet`: notes a tag that the caller set.
   *
   * @param untouched - Laneway has written nothing yet
   */
  #watchHandSet(untouched: boolean): void {
    const { request, target, hop } = this
    const given = laneValues(request, this.#options)
    if (this.#watched || given === undefined) return
    if (!untouched && this.#inScope && given === this.lane?.header) return
    this.#watched = true
    const url = baseUrl(target, hop)
    this.#redirected = followsRedirect(() => url + (target.originForm ?? request.path).slice(1))
    this.emit = watchRedirect(this.emit ?? classOf(request).emit, url)
  }

  /** Of the attempt, while no endpoint is chosen. */
  #outcome(): string {
    if (this.#service && !this.#left) return 'not-ready'
    return this.#inScope ? 'forwarded' : 'out-of-scope'
  }

  /** Asks a host that may see the lane for the path. Another host never gets the question, whoever put it. */
  #ask(): void {
    const { traced, request } = this
    if (!this.#inScope) {
      if (values(request, TRACE_HEADER) !== undefined) write(request, TRACE_HEADER, undefined)
    } else if (traced !== undefined) {
      traced.lane = this.lane?.header
      try {
        if (values(request, TRACE_HEADER) === undefined) write(request, TRACE_HEADER, '1')
      } catch {
        // The head has left: the answer will have no path.
      }
    }
  }

  #tag(): void {
    const { request } = this
    const { baggage } = this.#options
    const given = laneValues(request, this.#options)
    if (!this.#left) this.lane = laneOfCall(given, this.lane, this.host)
    const { lane } = this
    writeLane(request, this.#options, given, lane?.header)
    const carried = values(request, 'baggage')
    if (carried === undefined && !(baggage && lane !== undefined)) return
    const before = typeof carried === 'string' ? carried : carried?.join(',')
    const after = sentBaggage(before, lane, baggage)
    if (after !== before) write(request, 'baggage', blankAsNone(after))
  }

  #isForbidden(): boolean {
    const { scope } = this.#options
    return scope.forbids(this.host) || scope.forbids(this.target.hostname)
  }

  #strip(): void {
    const { request } = this
    const { keepHandSet } = this.#options
    const given = laneValues(request, this.#options)
    const handSet = given === undefined ? undefined : laneOfCall(given, undefined, this.host)
    this.lane = handSet ?? this.lane
    this.#kept = handSet !== undefined && keepHandSet && !this.#left && !this.#redirected && !this.#isForbidden()
    const kept = this.#kept ? handSet?.header : undefined
    writeLane(request, this.#options, given, kept)
    const carried = values(request, 'baggage')
    if (carried === undefined) return
    const before = typeof carried === 'string' ? carried : carried.join(',')
    if (hasLaneMember(before)) write(request, 'baggage', blankAsNone(withoutLaneMembers(before)))
  }
}

function blankAsNone(value: string | undefined): string | undefined {
  return value === undefined || value.trim() === '' ? undefined : value
}
