import { AsyncLocalStorage } from 'node:async_hooks'

/** Contexts outlive their work: a kept-alive connection that a redirect opened keeps its context for hours. */
const FOLLOWED_MS = 60_000
/** Redirects that wait to be followed; the oldest is forgotten. */
const MAX_EXPECTED = 256

const following = new AsyncLocalStorage<{ readonly until: number } | undefined>()
const expected = new Set<string>()

/**
 * Runs the report of a redirect: a call made in it, or by what it starts, follows that redirect, whatever its URL. A client
 * may follow another `Location` line than Laneway would.
 *
 * @returns what `fn` returns
 */
export function reportRedirect<R>(fn: () => R): R {
  return following.run({ until: performance.now() + FOLLOWED_MS }, fn)
}

/** Runs the report of any other answer: the end of a chain of redirects. */
export function reportAnswer<R>(fn: () => R): R {
  return following.getStore() === undefined ? fn() : following.run(undefined, fn)
}

/** Whether an answer sends its client elsewhere. A `304` has a `Location` only when some client may follow it. */
export function isRedirect(status: number | null | undefined, locations: readonly string[]): boolean {
  return typeof status === 'number' && status >= 300 && status <= 399 && (status !== 304 || locations.length > 0)
}

/**
 * Remembers where a redirect leads, for calls that follow it by hand after an `await`, or inside a client, where no
 * context tells.
 *
 * @param base - what a relative `Location` is relative to
 * @param locations - all lines; those that are no URL are left out
 */
export function expectRedirects(base: string, locations: readonly string[]): void {
  const texts = locations.length > 1 ? [...locations, locations.join(', ')] : locations
  for (const text of texts) {
    const url = urlOf(text, base)
    if (url === undefined) continue
    expected.add(url)
    if (expected.size > MAX_EXPECTED) expected.delete(expected.values().next().value as string)
  }
}

/**
 * Whether a call follows a redirect that this process has seen: by its context, or by its URL, which is asked once. At worst a
 * call of its own goes without its hand-set tag once.
 *
 * @param url - of the call, without fragment; called when it is needed
 */
export function followsRedirect(url: () => string): boolean {
  const context = following.getStore()
  const inContext = context !== undefined && performance.now() < context.until
  const byUrl = expected.size > 0 && expected.delete(urlOf(url(), undefined) ?? '')
  return inContext || byUrl
}

function urlOf(text: string, base: string | undefined): string | undefined {
  if (!URL.canParse(text, base)) return undefined
  const { origin, pathname, search } = new URL(text, base)
  return origin + pathname + search
}
