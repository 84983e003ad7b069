import { Readable } from 'node:stream'
import type { Dispatch, DispatchOptions, LegacyHandler } from '../dispatcher/dispatcher.js'
import { plainHeaders } from '../sent/headers.js'
import { rawLocations } from './redirect-memory.js'
import { type Redirections, UNKNOWN_LIMIT } from './redirections.js'

/** What undici 6 takes for a redirect. */
const REDIRECTS = new Set([300, 301, 302, 303, 307, 308])
/** Longer than any limit, so that a redirect handler below follows nothing. */
const FULL = 2 ** 31

/**
 * Follows redirects above the resolver, by the rules of undici 6 (`maxRedirections`). undici itself follows them below the
 * resolver: it would repeat the headers of the first hop, tag included, at any host, and not ask the resolver again.
 */
export class RedirectFollower implements LegacyHandler {
  private readonly history: URL[] = []
  private abort: ((reason?: unknown) => void) | undefined
  private location: string | undefined
  private limit: number
  private readonly hidden: boolean
  private readonly body: unknown

  /** @param options - a copy, which belongs to the follower */
  constructor(
    private readonly dispatch: Dispatch,
    redirections: Redirections,
    private readonly options: DispatchOptions,
    private readonly handler: LegacyHandler,
    private readonly throwsAtLimit: boolean,
  ) {
    this.hidden = redirections === 'hidden'
    this.limit = this.hidden ? 0 : (redirections as number)
    options.body = onceReadable(options.body)
    this.body = options.body
  }

  onConnect(abort: (reason?: unknown) => void, context?: unknown): void {
    this.abort = abort
    const below = this.hidden ? (Object(context) as { history?: unknown }).history : undefined
    if (Array.isArray(below)) {
      // A handler below that follows redirects shows its list. When the list is full, it leaves redirects to this one.
      below.length = FULL
      this.limit = UNKNOWN_LIMIT
    }
    this.handler.onConnect?.(abort, this.limit === 0 ? context : { history: this.history })
  }

  onUpgrade(status: number | null, headers: unknown, socket: unknown): void {
    this.handler.onUpgrade?.(status, headers, socket)
  }

  onResponseStarted(): void {
    this.handler.onResponseStarted?.()
  }

  onHeaders(status: number, headers: unknown[], resume: () => void, statusText: string): boolean | undefined {
    const { options, history, limit } = this
    if (limit === 0) return this.handler.onHeaders?.(status, headers, resume, statusText)
    const spent = history.length >= limit
    const followed = spent || !REDIRECTS.has(status) || isRead(this.body) ? undefined : rawLocations(headers)[0]
    this.location = followed
    if (this.throwsAtLimit && spent) {
      this.abort?.(new Error('max redirects'))
      return undefined
    }
    const base = options.origin ? new URL(options.path ?? '/', options.origin) : undefined
    if (base !== undefined) history.push(base)
    if (followed === undefined) return this.handler.onHeaders?.(status, headers, resume, statusText)
    this.aimAt(new URL(followed, base), status === 303)
    return undefined
  }

  onData(chunk: Uint8Array): boolean | undefined {
    return this.location === undefined ? this.handler.onData?.(chunk) : undefined
  }

  onComplete(trailers: unknown): void {
    if (this.location === undefined) {
      this.handler.onComplete?.(trailers)
      return
    }
    this.location = undefined
    this.abort = undefined
    this.dispatch(this.options, this)
  }

  onError(error: unknown): void {
    this.handler.onError?.(error)
  }

  onBodySent(chunk: unknown): void {
    this.handler.onBodySent?.(chunk)
  }

  onRequestSent(): void {
    this.handler.onRequestSent?.()
  }

  private aimAt({ origin, pathname, search }: URL, asGet: boolean): void {
    const { options } = this
    options.headers = keptHeaders(options.headers, asGet, options.origin !== origin)
    options.origin = origin
    options.path = pathname + search
    options['query'] = null
    if (asGet && options.method !== 'HEAD') {
      options.method = 'GET'
      options.body = null
    }
  }
}

/** Headers for the next target: without `Host`, those of a dropped body, and secrets for another origin. */
function keptHeaders(headers: unknown, withoutBody: boolean, elsewhere: boolean): unknown[] {
  const plain = plainHeaders(headers)
  const flat = Array.isArray(plain) ? plain : Object.entries(plain).flat()
  const kept: unknown[] = []
  for (let index = 0; index + 1 < flat.length; index += 2) {
    const name = String(flat[index]).toLowerCase()
    if (name === 'host' || (withoutBody && name.startsWith('content-'))) continue
    if (elsewhere && (name === 'authorization' || name === 'cookie' || name === 'proxy-authorization')) continue
    kept.push(flat[index], flat[index + 1])
  }
  return kept
}

const kRead = Symbol('laneway.undici.read')

/** Wraps a body that can be read only once, so that it shows whether it was read: then it is not sent again. */
function onceReadable(body: unknown): unknown {
  if (typeof body !== 'object' || body === null || ArrayBuffer.isView(body) || Array.isArray(body)) return body
  const source = body as Partial<AsyncIterable<unknown> & Iterable<unknown>> & { pipe?: unknown; append?: unknown }
  if (typeof source.pipe === 'function' || typeof source.append === 'function') return body
  const iterate = source[Symbol.asyncIterator] ?? source[Symbol.iterator]
  if (typeof iterate !== 'function') return body
  const once = {
    [kRead]: false,
    async *[Symbol.asyncIterator]() {
      once[kRead] = true
      yield* body as AsyncIterable<unknown>
    },
  }
  return once
}

function isRead(body: unknown): boolean {
  if (typeof body !== 'object' || body === null) return false
  if ((body as { [kRead]?: boolean })[kRead] !== undefined) return (body as { [kRead]: boolean })[kRead]
  return typeof (body as { pipe?: unknown }).pipe === 'function' && Readable.isDisturbed(body as never)
}
