import type { ClientRequest } from 'node:http'
import {
  type CallInfo,
  channels,
  createCallInfo,
  currentLane,
  currentRequest,
  duringCall,
  followsRedirect,
  hasLaneMember,
  kLane,
  type Lane,
  LanewayError,
  laneOfCall,
  lanesSeen,
  publishEgress,
  sentBaggage,
  withoutLaneMembers,
} from '@laneway/core'
import type { ResolvedLaneAgentOptions } from '../agent/lane-agent-options.js'
import { classOf, type HopOptions, type OutgoingRequest } from '../node-internals.js'
import { isReadByCache } from './lane-dependent.js'
import { watchRedirect } from './redirect.js'
import { isRendered, renderedValues, rewriteHeader } from './rendered-head.js'
import { hookRequest, hooksOf, ownEmit, type RequestHooks, type RequestWatcher } from './request-hooks.js'
import { scopeHost, type Target } from './target.js'

interface Tagged {
  [kLane]?: Lane | null | undefined
}

const kOutgoing = Symbol('laneway.outgoing')

type HookedRequest = OutgoingRequest & { [kOutgoing]: OutgoingLane }

/** What Node calls to render the head: the last moment at which a header can be set, and the only one. */
function implicitHeader(this: HookedRequest): void {
  const outgoing = this[kOutgoing]
  outgoing.render()
  classOf(this)._implicitHeader.call(this)
}

/**
 * The lane of one outgoing request and what its head says about it. Made in the caller's context when the user makes the
 * call; nothing reads that context later.
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
  /** Set by who leads a request to a service. */
  watcher: RequestWatcher | undefined
  /** The target has turned out to be no service: what the head says now was set here, not by the caller. */
  #left = false
  /** The incoming request that the call was made for, while a log follows requests. */
  readonly #incoming = currentRequest()
  readonly #options: ResolvedLaneAgentOptions
  #inScope: boolean
  readonly #service: boolean
  /** A hand-set tag was seen, so what comes of the request is watched. */
  #watched = false
  /** The request follows a redirect: a hand-set tag is the one of the call before. */
  #redirected = false
  #told = false
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
    this.caller = hooks === undefined ? currentLane() : hooks.caller
    const decided = (request as Tagged)[kLane] ?? (hop as Tagged)[kLane]
    this.lane = decided === undefined ? currentLane() : (decided ?? undefined)
    this.emit = ownEmit(request)
    if (options.keepHandSet) this.#watchHandSet(true)
    hookRequest(request, this)
    this.settle()
    if (isRendered(request)) this.told()
    else {
      const hooked = request as HookedRequest
      hooked[kOutgoing] = this
      hooked._implicitHeader = implicitHeader as () => void
    }
  }

  /**
   * Makes the head of the request say what was decided; also when the caller changed it since.
   *
   * @throws LanewayError `LANEWAY_HEADERS_SENT` when the head can no longer be changed
   */
  settle(): void {
    if (this.#inScope) this.#tag()
    else this.#strip()
    ;(this.request as Tagged)[kLane] = this.lane ?? null
  }

  /** The head is about to be written. A fault of ours is not the caller's, who is in `end()` or `write()`. */
  render(): void {
    try {
      if (this.#options.keepHandSet) this.#watchHandSet(false)
      this.settle()
      this.watcher?.rendering()
      this.told()
    } catch (error) {
      if (this.#options.onFault === undefined) throw error
      this.#options.onFault(error)
    }
  }

  /** Takes in what the caller has set by hand until now. */
  settleUnlessRendered(): void {
    if (!isRendered(this.request)) this.settle()
  }

  isCached(): boolean {
    return this.#inScope && (this.#service || lanesSeen()) && isReadByCache(this.hop)
  }

  /** Whether the tag of the request has to go again should its target turn out to be no service. */
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
    if (this.#inScope) return
    this.settle()
    this.#told = false
    if (isRendered(this.request)) this.told()
  }

  /** Tells that the request goes out; once, when its head is final. */
  told(): void {
    if (this.#told) return
    this.#told = true
    if (channels.egress.hasSubscribers) this.#tellOfCall()
    else this.#tell()
  }

  #tellOfCall(): void {
    duringCall(this.info(), () => this.#tell())
  }

  #tell(): void {
    const { lane } = this
    if (lane === undefined) {
      if (this.#service && !this.#left) publishEgress(this.host, undefined, 'untagged')
    } else if (this.#inScope) publishEgress(this.host, lane, 'forwarded')
    else if (!this.#kept) this.#options.scope.blocked(this.host, lane)
  }

  /** For events. */
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
   * @param untouched - nothing of ours was written yet
   */
  #watchHandSet(untouched: boolean): void {
    const { request, target, hop } = this
    const given = values(request, this.#options.header)
    if (this.#watched || given === undefined) return
    if (!untouched && this.#inScope && given === this.lane?.header) return
    this.#watched = true
    const url = baseUrl(target, hop)
    this.#redirected = followsRedirect(() => url + (target.originForm ?? request.path).slice(1))
    this.emit = watchRedirect(this.emit ?? classOf(request).emit, url)
  }

  #tag(): void {
    const { request } = this
    const { header, baggage } = this.#options
    const given = values(request, header)
    if (!this.#left) this.lane = laneOfCall(given, this.lane, this.host)
    const { lane } = this
    if (given !== lane?.header) write(request, header, lane?.header)
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
    const { header, keepHandSet } = this.#options
    const given = values(request, header)
    const handSet = given === undefined ? undefined : laneOfCall(given, undefined, this.host)
    this.lane = handSet ?? this.lane
    this.#kept = handSet !== undefined && keepHandSet && !this.#left && !this.#redirected && !this.#isForbidden()
    const kept = this.#kept ? handSet?.header : undefined
    if (given !== kept) write(request, header, kept)
    const carried = values(request, 'baggage')
    if (carried === undefined) return
    const before = typeof carried === 'string' ? carried : carried.join(',')
    if (hasLaneMember(before)) write(request, 'baggage', blankAsNone(withoutLaneMembers(before)))
  }
}

function blankAsNone(value: string | undefined): string | undefined {
  return value === undefined || value.trim() === '' ? undefined : value
}

function values(request: ClientRequest, name: string): string | readonly string[] | undefined {
  if (isRendered(request)) {
    const lines = renderedValues(request, name)
    return lines?.length === 1 ? lines[0] : lines
  }
  const value = request.getHeader(name)
  return typeof value === 'number' ? String(value) : value
}

/** The first value of a header. */
export function firstValue(request: ClientRequest, name: string): string | undefined {
  const value = values(request, name)
  return typeof value === 'string' ? value : value?.[0]
}

/** Gives a request one line of a header, or none. */
export function write(request: ClientRequest, name: string, value: string | undefined): void {
  if (isRendered(request)) {
    if (rewriteHeader(request, name, value)) return
    throw new LanewayError(
      'LANEWAY_HEADERS_SENT',
      `the head of a request was written before "${name}" could be ${value === undefined ? 'removed' : 'set'}`,
    )
  }
  if (value === undefined) request.removeHeader(name)
  else request.setHeader(name, value)
}

function baseUrl(target: Target, hop: HopOptions): string {
  const scheme = target.secure ? 'https' : 'http'
  const host =
    target.hostname.includes(':') && !target.hostname.startsWith('[') ? `[${target.hostname}]` : target.hostname
  const port = target.port ?? hop.port
  return `${scheme}://${host}${port === undefined || port === null ? '' : `:${port}`}/`
}
