import { AsyncLocalStorage } from 'node:async_hooks'
import type { Generations } from '../bounded-map.js'
import type { Lane } from '../lane/lane.js'
import type { Logger } from '../log/logger.js'
import type { CallInfo } from './call-info.js'

/**
 * Where the lane of the running code is kept. The default is an `AsyncLocalStorage`; `@laneway/otel` puts the lane into
 * the OpenTelemetry context instead.
 */
export interface LaneStorage {
  getStore(): Lane | undefined
  run<R, A extends unknown[]>(lane: Lane | undefined, fn: (...args: A) => R, ...args: A): R
  /**
   * Called by an ingress in place of `run` when it refused what a client sent, so that a storage which also carries
   * baggage can drop the refused members from it.
   */
  runStripped?<R, A extends unknown[]>(lane: Lane | undefined, fn: (...args: A) => R, ...args: A): R
  /**
   * Called by an ingress where the listeners of a request begin, so that a storage can give the lane to contexts which
   * other code has made for this request.
   */
  adopt?(lane: Lane | undefined): void
}

/** The process-wide state of version 1. Fields are only ever added: other copies of this package read them. */
export interface ContextSlot {
  readonly version: 1
  storage: LaneStorage
  /** Lanes seen lately, by what was on the wire. Bounded, so that network input cannot make it grow. */
  readonly lanes: Generations<string, Lane>
  /** The lane of code that runs for no request, with `ownLane: 'colour'`; otherwise `undefined`. */
  ownColour: Lane | undefined
  /** The incoming request of the running code, while a log follows requests. */
  requests?: AsyncLocalStorage<object> | undefined
  /** The call that events are being published about, see `duringCall`. */
  call?: CallInfo | undefined
  /** Laneway is switched off for what begins now, see `control/switch.ts`. */
  off?: boolean
  /** What `ownColour` is once Laneway is on again. */
  colourWhenOn?: Lane | undefined
  /** A request has been traced: contexts may carry a trace, see `trace/traced-lane.ts`. */
  traced?: boolean
  /** The hosts outside that get the tag, in place of each adapter's own list; see `control/control.ts`. */
  hosts?: readonly string[] | undefined
  /** Where warnings and lines of the whole process go, see `log/process-logger.ts`. */
  logger?: Logger | undefined
}

const key = Symbol.for('laneway.context.v1')

interface Holder {
  [key]?: ContextSlot
}

const realm = globalThis as Holder
/** Of the realm of Node itself, whichever realm this module runs in: Jest gives each test file a global object of its own. */
const shared = AsyncLocalStorage as unknown as Holder

// ESM and CJS builds, and several versions, meet in one process: each module-level storage would be an island.
realm[key] ??= shared[key] ?? {
  version: 1,
  storage: new AsyncLocalStorage<Lane | undefined>(),
  lanes: { young: new Map(), old: new Map() },
  ownColour: undefined,
  requests: undefined,
  call: undefined,
  off: false,
  colourWhenOn: undefined,
  traced: false,
  hosts: undefined,
  logger: undefined,
}

// Another realm finds this context, and keeps its own where there is none: then test files do not see each other's.
if (shared[key] === undefined && AsyncLocalStorage instanceof Function && Object.isExtensible(AsyncLocalStorage)) {
  Object.defineProperty(AsyncLocalStorage, key, { value: realm[key] })
}

/** Private to `@laneway/*`: the one context of this process. */
export const slot: ContextSlot = realm[key]

/**
 * Replaces where the lane is kept, for the whole process. Call it once, at start, before the first request.
 * For integrations such as `@laneway/otel`; never throws.
 */
export function setLaneStorage(storage: LaneStorage): void {
  slot.storage = storage
}
