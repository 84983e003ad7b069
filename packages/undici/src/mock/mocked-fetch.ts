import { currentLane } from '@laneway/core'
import { targetOfOrigin } from '../call/call.js'
import type { UndiciSettings } from '../options.js'

/** The part of the global `fetch` that Laneway uses. */
export type Fetch = (input: unknown, init?: object) => Promise<unknown>

const NONE: readonly string[] = []

const atStart = (globalThis as { fetch?: unknown }).fetch

/** Where `@mswjs/interceptors` (msw, nock 14) keeps the interceptor of `fetch` while it stands in. */
const INTERCEPTOR = Symbol.for('fetch-interceptor')

/** How its older versions mark their replacement. */
const MARK = 'isPatchedModule'

/**
 * Whether such a mock has replaced `fetch`. A function that a test has made itself, as `jest.fn()`, has properties of its own
 * and does not count: it must stay the object that the test compares.
 */
export function isMockOfFetch(fetch: unknown): boolean {
  if (typeof fetch !== 'function' || fetch === atStart) return false
  let marked = (globalThis as Record<symbol, unknown>)[INTERCEPTOR] !== undefined
  for (const key of Reflect.ownKeys(fetch)) {
    if (typeof key === 'symbol' && key.description === MARK) marked = Reflect.get(fetch, key) === true
    else if (key !== 'length' && key !== 'name' && key !== 'prototype') return false
  }
  return marked
}

/** Whether Next has made this `fetch`. It keeps answers by URL and headers, so it has to see the tag. */
export function isFetchOfNext(fetch: unknown): boolean {
  return typeof fetch === 'function' && (fetch as { __nextPatched?: unknown }).__nextPatched === true
}

/** Whether the global `fetch` is another one than when this package was loaded. */
export function isReplaced(fetch: unknown): boolean {
  return fetch !== atStart || (globalThis as Record<symbol, unknown>)[INTERCEPTOR] !== undefined
}

/**
 * The second argument of `fetch` with the tag among its headers: a replaced `fetch` uses its arguments and no dispatcher. A
 * tag that the caller set stays as it is. Arguments that cannot be read are left to `fetch`.
 */
export function withTag(settings: UndiciSettings, input: unknown, init: object | undefined): object | undefined {
  const lane = currentLane()
  if (lane === undefined) return init
  try {
    const request = input instanceof Request ? input : undefined
    const target = targetOfOrigin(new URL(request?.url ?? String(input)).origin)
    if (target === undefined) return init
    const { resolver, scope, header, also = NONE } = settings
    const { hostname, port, secure } = target
    if (resolver?.match(hostname, port, secure) === undefined && !scope.includes(hostname)) return init
    const headers = new Headers((init as RequestInit | undefined)?.headers ?? request?.headers)
    if (headers.has(header) || also.some(name => headers.has(name))) return init
    for (const name of [header, ...also]) headers.set(name, lane.header)
    return { ...init, headers }
  } catch {
    return init
  }
}
