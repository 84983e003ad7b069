import { expectRedirects, followsRedirect, isRedirect, reportAnswer, reportRedirect } from '@laneway/core/internal'
import { type Call, originText } from '../call/call.js'
import type { DispatchOptions } from '../dispatcher/dispatcher.js'

/** Redirects that were reported in this turn of the event loop. */
let justReported = 0

/**
 * Reports the head of an answer to a call whose hand-set tag may be kept (`keepHandSet`). The next hop after a redirect
 * goes without the tag, whatever its URL. How that hop is known depends on who follows:
 *
 * - An interceptor dispatches the same handler again.
 * - Code that is called back is known by its context.
 * - `fetch` follows by itself with a new handler, in its own context, and before the turn of the event loop ends.
 * - Code that awaits the answer is known by the URL. At worst another call to that URL goes without its tag once.
 *
 * @param location - the values of `location`
 */
export function reportHead<R>(call: Call, status: number | null, location: unknown, report: () => R): R {
  const locations = (Array.isArray(location) ? location : location === undefined ? [] : [location]).map(String)
  if (!isRedirect(status, locations)) return reportAnswer(report)
  call.redirected = true
  const base = `${call.origin}${call.path ?? '/'}`
  if (URL.canParse(base)) expectRedirects(base, locations)
  justReported++
  setImmediate(endOfTurn)
  return reportRedirect(report)
}

function endOfTurn(): void {
  justReported--
}

/** Whether a call with a hand-set tag follows a redirect of another call. */
export function isRedirectHop(options: DispatchOptions): boolean {
  const follows = followsRedirect(() => originText(options.origin) + (options.path ?? ''))
  return follows || justReported > 0
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
