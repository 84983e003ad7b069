import { expectRedirects, followsRedirect, isRedirect, tellOfAnswer, tellOfRedirect } from '@laneway/core'
import type { Call } from '../call/call.js'
import { originText } from '../call/target.js'
import type { DispatchOptions } from '../dispatcher/dispatcher.js'

/** Redirects that were told of in this turn of the event loop. */
let justTold = 0

/**
 * Tells a handler of the head of an answer to a call whose hand-set tag may be kept (`keepHandSet`). What follows a redirect
 * goes without the tag, whatever its URL: an interceptor dispatches the same handler again; code that is called back is known
 * by its context; `fetch` follows by itself with a new handler, in its own context, and before the turn of the event loop
 * ends; code that awaits the answer is known by the URL. At worst a call of its own goes without its tag once.
 *
 * @param location - the values of `location`
 */
export function tellOfHead<R>(call: Call, status: number | null, location: unknown, tell: () => R): R {
  const locations = (Array.isArray(location) ? location : location === undefined ? [] : [location]).map(String)
  if (!isRedirect(status, locations)) return tellOfAnswer(tell)
  call.redirected = true
  const base = `${call.origin}${call.path ?? '/'}`
  if (URL.canParse(base)) expectRedirects(base, locations)
  justTold++
  setImmediate(endTold)
  return tellOfRedirect(tell)
}

function endTold(): void {
  justTold--
}

/** Whether a call with a hand-set tag follows a redirect of another call. */
export function isRedirectHop(options: DispatchOptions): boolean {
  const follows = followsRedirect(() => originText(options.origin) + (options.path ?? ''))
  return follows || justTold > 0
}

/** The values of `location` in raw header lines. */
export function rawLocations(headers: readonly unknown[]): string[] {
  const values: string[] = []
  for (let index = 0; index + 1 < headers.length; index += 2) {
    if (String(headers[index]).toLowerCase() !== 'location') continue
    const value = headers[index + 1]
    if (Array.isArray(value)) values.push(...value.map(String))
    else values.push(String(value))
  }
  return values
}
