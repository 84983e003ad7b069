import { runInThisContext } from 'node:vm'
import { type EgressOptions, LanewayError } from '@laneway/core'
import { emitLanewayWarning, isDisabled } from '@laneway/core/internal'
import type { EgressResolver } from '@laneway/discovery'
import type { LaneableDispatcher } from './dispatcher/dispatcher.js'
import { composedRoute } from './dispatcher/route.js'
import { assertRoutesByOrigin } from './dispatcher/routes-by-origin.js'
import { laneDispatcher } from './lane-dispatcher.js'
import { type Fetch, isFetchOfNext, isMockOfFetch, isReplaced, withTag } from './mock/mocked-fetch.js'
import { resolveEgressOptions, type UndiciSettings } from './options.js'

/** The type of the global `fetch`, as the project's own `@types/node` has it. */
export type LaneFetch = typeof globalThis.fetch

/**
 * The `fetch` built into the running Node, with the lane: nothing to install, Node 20 to 26. It goes through the global
 * dispatcher of that copy, so that `setGlobalDispatcher`, a proxy from the environment or a `MockAgent` keep working.
 *
 * Under `LANEWAY_DISABLE` with `all` or `undici` it calls the global `fetch`, and that is all.
 *
 * @returns a function like `fetch`. It rejects as `fetch` does; the `cause` is a `LanewayError` with one of the codes of
 * `composeLane`.
 * @throws LanewayError `LANEWAY_INVALID_OPTION`
 */
export function createLaneFetch(options: EgressOptions<EgressResolver> = {}): LaneFetch {
  if (isDisabled(['undici'])) return ((...args: Parameters<LaneFetch>) => globalThis.fetch(...args)) as LaneFetch
  const where = 'createLaneFetch'
  const settings = resolveEgressOptions(where, options)
  const composed = new WeakMap<LaneableDispatcher, LaneableDispatcher>()

  function compose(dispatcher: LaneableDispatcher): LaneableDispatcher {
    let lane = composed.get(dispatcher)
    if (lane === undefined) {
      assertRoutesByOrigin(where, dispatcher)
      lane = laneDispatcher(where, dispatcher, composedRoute(where, dispatcher, settings), [])
      composed.set(dispatcher, lane)
    }
    return lane
  }

  async function laneFetch(input: unknown, init?: { dispatcher?: LaneableDispatcher }): Promise<unknown> {
    // An async function, so that a dispatcher of the wrong kind rejects, as every failure of fetch does.
    const dispatcher = compose(init?.dispatcher ?? builtInDispatcher(where))
    const fetch = globalThis.fetch as unknown as Fetch
    return fetch(input, { ...(isReplaced(fetch) ? withTag(settings, input, init) : init), dispatcher })
  }
  return laneFetch as unknown as LaneFetch
}

/**
 * For a preload: lets a mock that has replaced the global `fetch` see the tag. It wraps only the replacements of msw and nock
 * 14; a function that a test put there stays as the test made it.
 *
 * @returns a function to call now and then, as when a request arrives; costs one comparison
 * @throws LanewayError `LANEWAY_INVALID_OPTION`
 */
export function createFetchWatch(options: EgressOptions<EgressResolver> = {}): () => void {
  const settings = resolveEgressOptions('createFetchWatch', options)
  const holder = globalThis as unknown as { fetch: Fetch }
  let seen: unknown = holder.fetch
  return () => {
    if (holder.fetch === seen) return
    seen = holder.fetch
    const unknownNext = isFetchOfNext(seen) && !tagged.has(seen as object)
    if (unknownNext) (options.warn ?? emitLanewayWarning)(UNKNOWN_NEXT)
    else if (!isMockOfFetch(seen)) return
    holder.fetch = tagging(holder.fetch, settings)
    seen = holder.fetch
  }
}

/**
 * For a preload, in a process of Next: makes the global `fetch` a property that notices when Next replaces it, so that already
 * the first call that Next answers from its cache has the tag. Other replacements stay as they are.
 *
 * @throws LanewayError `LANEWAY_INVALID_OPTION`
 */
export function watchFetchOfNext(options: EgressOptions<EgressResolver> = {}): void {
  const settings = resolveEgressOptions('watchFetchOfNext', options)
  const seen = (fetch: Fetch): Fetch => {
    if (!isFetchOfNext(fetch) || tagged.has(fetch)) return fetch
    const replacement = tagging(fetch, settings)
    tagged.add(replacement)
    return replacement
  }
  let current = seen(globalThis.fetch as unknown as Fetch)
  Object.defineProperty(globalThis, 'fetch', {
    configurable: true,
    enumerable: true,
    get: () => current,
    set: (fetch: Fetch) => {
      current = seen(fetch)
    },
  })
}

const UNKNOWN_NEXT =
  'Laneway does not know this version of Next: its caches may give what a request of a lane has seen to requests of base. Use Next 15 or 16, or switch the caches off'

/** Replacements of `fetch` that {@link watchFetchOfNext} has made. */
const tagged = new WeakSet<object>()

/** The same function with the tag in its arguments. */
function tagging(original: Fetch, settings: UndiciSettings): Fetch {
  const withLane = function fetch(input: unknown, init?: object) {
    return original(input, withTag(settings, input, init))
  }
  return Object.defineProperties(withLane, Object.getOwnPropertyDescriptors(original))
}

const FIRST = Symbol.for('undici.globalDispatcher.1')
const SECOND = Symbol.for('undici.globalDispatcher.2')

/** The dispatcher that the built-in fetch would use now. undici 8, in Node 26, reads another symbol than older versions. */
export function builtInDispatcher(where: string): LaneableDispatcher {
  const symbol = Number.parseInt(process.versions['undici'] ?? '0', 10) >= 8 ? SECOND : FIRST
  type Realm = { Response: unknown } & Record<symbol, LaneableDispatcher | undefined>
  let holder = globalThis as unknown as Realm
  // Jest gives each test file a global object of its own, with the fetch of Node's.
  if (holder[symbol] === undefined) holder = runInThisContext('globalThis') as Realm
  // The first use of one of its globals loads the built-in copy, which makes its dispatcher then.
  if (holder[symbol] === undefined) void holder.Response
  const dispatcher = holder[symbol]
  if (dispatcher !== undefined) return dispatcher
  throw new LanewayError(
    'LANEWAY_NOT_AN_AGENT',
    `${where}: Node ${process.versions.node} shows no global dispatcher; use composeLane() with undici from npm`,
  )
}
