import type { IncomingMessage } from 'node:http'
import { limitedSignal } from '../limited-signal.js'
import { readPath } from './expect-path.js'
import { type LanePath, TRACE_HEADER } from './lane-path.js'

/** Options of {@link tracePath}. */
export interface TracePathOptions {
  /** @default 'GET' */
  readonly method?: string
  /** By name. `x-laneway-trace` is `1` unless it is among them. @default none */
  readonly headers?: Readonly<Record<string, string | readonly string[]>>
  /** @default none */
  readonly body?: string
  /** For the whole answer, in ms; a longer body is broken off. @default 10000 */
  readonly timeoutMs?: number
  /** Ends it earlier. */
  readonly signal?: AbortSignal
}

/** The answer to a request that asked for its path. */
export interface TracedAnswer {
  readonly status: number
  /** From the call to the head of the answer. */
  readonly ms: number
  /** `undefined` when the answer has none: the sender is not trusted there, or nothing of Laneway has answered. */
  readonly path: LanePath | undefined
}

/**
 * Sends one request that asks for its path, as it is: in no lane, to where the URL points, following no redirect.
 *
 * @throws TypeError for what is no http(s) URL or header, and the error of Node when no answer comes
 */
export async function tracePath(url: string | URL, options: TracePathOptions = {}): Promise<TracedAnswer> {
  const { method = 'GET', headers = {}, body, timeoutMs = 10_000, signal } = options
  const target = new URL(url)
  if (target.protocol !== 'http:' && target.protocol !== 'https:') throw new TypeError(`${target} is no http(s) URL`)
  // Loaded now, because services that never ask load this file too.
  const { request } = target.protocol === 'https:' ? await import('node:https') : await import('node:http')
  const all: Record<string, string | readonly string[]> = { [TRACE_HEADER]: '1' }
  for (const name of Object.keys(headers)) all[name.toLowerCase()] = headers[name]!
  const began = performance.now()
  const limit = limitedSignal(signal, timeoutMs)
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const outgoing = request(target, {
      method,
      headers: all as Record<string, string | string[]>,
      agent: false,
      signal: limit.signal,
    })
    outgoing.once('response', resolve).once('error', reject).once('close', limit.release).end(body)
  }).catch(error => {
    // A request that cannot be made does not close.
    limit.release()
    throw error
  })
  const ms = performance.now() - began
  // The head has all that is asked for; a body may be without end.
  response.on('error', () => {}).resume()
  return { status: response.statusCode ?? 0, ms, path: readPath(response) }
}
