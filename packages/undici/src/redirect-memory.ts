import type { Call } from './call.js'
import type { DispatchOptions } from './dispatcher.js'
import { originText } from './target.js'

/** A redirect that nobody followed is forgotten in the end. */
const MAX_EXPECTED = 256
const expected = new Set<string>()

/**
 * `fetch` follows redirects by itself, with a new handler and the headers of the caller, so that nothing ties the second hop
 * to the first. Where a tag set by hand would be kept (`keepHandSet`), the hop is known by the place it was sent to; at
 * worst a call of its own to that place goes without its tag once.
 */
export function expectRedirect(call: Call, status: number, location: unknown): void {
  if (status < 300 || status > 399 || typeof location !== 'string') return
  let url: URL
  try {
    url = new URL(location, new URL(call.path ?? '/', call.origin))
  } catch {
    return
  }
  expected.add(url.origin + url.pathname + url.search)
  if (expected.size > MAX_EXPECTED) expected.delete(expected.values().next().value as string)
}

/** Whether a call is the second hop of another; asked once. */
export function isExpectedRedirect(options: DispatchOptions): boolean {
  return expected.size > 0 && expected.delete(originText(options.origin) + (options.path ?? ''))
}

/** The value of `location` in raw header lines. */
export function rawLocation(headers: readonly unknown[]): string | undefined {
  for (let index = 0; index + 1 < headers.length; index += 2) {
    if (String(headers[index]).toLowerCase() === 'location') return String(headers[index + 1])
  }
  return undefined
}
