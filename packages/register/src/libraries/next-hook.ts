import type { Guard } from '../guard.js'
import { inLane } from './lane-methods.js'
import { whenLoaded } from './queue-hook.js'

type Callback = (...args: any[]) => any

/** Next's storage for the work that runs now. Next keeps one for all its bundles, in a file that it never bundles. */
interface WorkStorage {
  run: (store: unknown, fn: Callback, ...args: unknown[]) => unknown
}

const STORAGE = /[\\/]next[\\/]dist[\\/]server[\\/]app-render[\\/]work-unit-async-storage-instance\.js$/

/** The work whose result goes to one request only. Next may keep the result of all other work, and give it to everybody. */
const OWN_WORK = new Set(['request', 'private-cache'])

/** A built page of the Pages Router. */
interface BuiltPage {
  getStaticProps?: unknown
  routeModule?: { render?: unknown }
}

const PAGE = /[\\/]server[\\/]pages[\\/].+\.js$/

/** What runs middleware, routes and pages of the Edge runtime. */
interface Sandbox {
  run: (params: { incrementalCache?: unknown }) => unknown
}

const SANDBOX = /[\\/]next[\\/]dist[\\/]server[\\/]web[\\/]sandbox[\\/]sandbox\.js$/

/** What gets the images of `/_next/image`. */
const IMAGES = /[\\/]next[\\/]dist[\\/]server[\\/]image-optimizer\.js$/
const GETS_IMAGE = ['fetchExternalImage', 'fetchInternalImage']

/**
 * Next keeps answers of `fetch`, results of functions, images and whole pages, and does not know lanes. A page, an image or
 * a result that it keeps is made in no lane, because a request of base may get it. An answer of `fetch` is kept for each lane:
 * Next sees the tag among the headers, which are part of its key. In the Edge runtime it does not, so what has a cache there
 * runs in no lane.
 *
 * @param watchFetch - is called before Next puts its own `fetch` in place
 */
export function hookNext(watchFetch: () => void, guard: Guard): void {
  let found = false
  const part = 'next'
  whenLoaded(
    STORAGE,
    ({ exports }) => {
      const storage = (Object(exports) as { workUnitAsyncStorageInstance?: WorkStorage }).workUnitAsyncStorageInstance
      if (typeof storage?.run !== 'function') throw new TypeError('Next has no storage for its work')
      makeSharedWorkInNoLane(storage)
      if (!found) watchFetch()
      found = true
    },
    guard,
    part,
  )
  const adopt = (page: unknown) => void guard.attempt(part, () => renderStaticPageInNoLane(Object(page)))
  whenLoaded(
    PAGE,
    ({ exports }) => {
      if (exports instanceof Promise) exports.then(adopt, () => {})
      else adopt(exports)
    },
    guard,
    part,
  )
  whenLoaded(
    SANDBOX,
    module => {
      const { run } = module.exports as Sandbox
      const laneRun: Sandbox['run'] = params =>
        params?.incrementalCache === undefined ? run(params) : inLane(undefined, run as Callback, undefined, [params])
      replaceExports(module, { run: laneRun })
    },
    guard,
    part,
  )
  whenLoaded(
    IMAGES,
    module => {
      const images = module.exports as Record<string, unknown>
      if (GETS_IMAGE.some(name => typeof images[name] !== 'function')) throw new TypeError('Next gets images otherwise')
      const inNoLane = GETS_IMAGE.map(name => {
        const get = images[name] as Callback
        return [name, (...args: unknown[]) => inLane(undefined, get, undefined, args)]
      })
      replaceExports(module, Object.fromEntries(inNoLane))
    },
    guard,
    part,
  )
}

/** The exports themselves cannot be changed: they are getters. */
function replaceExports(module: { exports: unknown }, changes: Record<string, unknown>): void {
  const values = Object.entries(changes).map(([name, value]) => [name, { value, enumerable: true }])
  const descriptors = { ...Object.getOwnPropertyDescriptors(module.exports), ...Object.fromEntries(values) }
  module.exports = Object.defineProperties({}, descriptors)
}

function makeSharedWorkInNoLane(storage: WorkStorage): void {
  const { run } = storage
  storage.run = function runInOwnLane(this: WorkStorage, store, fn, ...args) {
    const type = (store as { type?: unknown } | undefined)?.type
    if (typeof type !== 'string' || OWN_WORK.has(type)) return Reflect.apply(run, this, [store, fn, ...args])
    const inNoLane: Callback = (...given) => inLane(undefined, fn, undefined, given)
    return Reflect.apply(run, this, [store, inNoLane, ...args])
  }
}

function renderStaticPageInNoLane({ getStaticProps, routeModule }: BuiltPage): void {
  const render = routeModule?.render
  if (typeof getStaticProps !== 'function' || typeof render !== 'function') return
  Object.assign(routeModule as object, {
    render(this: unknown, ...args: unknown[]) {
      return inLane(undefined, render as Callback, this, args)
    },
  })
}
