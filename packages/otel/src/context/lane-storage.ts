import { AsyncLocalStorage } from 'node:async_hooks'
import type { Lane } from '@laneway/core'
import { flag, type LaneStorage, laneOfContext, readOptions, setLaneStorage } from '@laneway/core/internal'
import { context, createContextKey, ROOT_CONTEXT } from '@opentelemetry/api'
import { withLaneBaggage, withoutLaneBaggage } from './lane-baggage.js'
import { adoptLane, contextInLane, keptIn } from './lane-context.js'

/** Options of {@link createOtelLaneStorage}. */
export interface OtelLaneStorageOptions {
  /**
   * Also shows the lane as the baggage entry `x-mse-tag`, to `propagation.getActiveBaggage()` and to services that speak
   * only W3C baggage. One way: an entry that other code sets is no lane until an ingress reads it from the wire.
   *
   * OpenTelemetry's own propagator then carries the entry to **every** host, third parties included, and on pools of
   * undici with a wrong value: its instrumentation injects after Laneway has cleaned the request, and in the context of
   * another one. `new LanePropagator({ inject: 'remove' })` behind it prevents that.
   * @default false, because of that
   */
  baggage?: boolean
}

/**
 * Keeps the lane in the OpenTelemetry context, so that `context.with`, instrumented consumers and `runInLane` agree in
 * every nesting. Until an OpenTelemetry context manager is registered, and where there is none, an `AsyncLocalStorage`
 * serves: the order of set-up does not matter.
 *
 * @throws LanewayError `LANEWAY_INVALID_OPTION`
 */
export function createOtelLaneStorage(options: OtelLaneStorageOptions = {}): LaneStorage {
  const { baggage } = readOptions('createOtelLaneStorage', options, { baggage: flag(false) })
  const fallback = new AsyncLocalStorage<Lane | undefined>()

  function enter<R, A extends unknown[]>(stripped: boolean, lane: Lane | undefined, fn: (...args: A) => R, args: A): R {
    if (!hasContextManager()) return fallback.run(lane, fn, ...args)
    let next = contextInLane(context.active(), lane)
    if (baggage) next = withLaneBaggage(next, laneOfContext(lane))
    else if (stripped) next = withoutLaneBaggage(next)
    return context.with(next, fn as (...args: unknown[]) => R, undefined, ...args)
  }

  return {
    getStore: () => (hasContextManager() ? keptIn(context.active()) : fallback.getStore()),
    run: (lane, fn, ...args) => enter(false, lane, fn, args),
    runStripped: (lane, fn, ...args) => enter(true, lane, fn, args),
    adopt(lane) {
      if (hasContextManager()) adoptLane(context.active(), lane)
    },
  }
}

/** {@link createOtelLaneStorage}, in force for this process. Call it once, at start. */
export function useOtelContext(options: OtelLaneStorageOptions = {}): void {
  setLaneStorage(createOtelLaneStorage(options))
}

const PROBE = createContextKey('laneway.probe')
const PROBED = ROOT_CONTEXT.setValue(PROBE, true)
let managed = false

/** The API cannot be asked; but without a manager `with` changes nothing. A manager stays once it is there. */
function hasContextManager(): boolean {
  managed ||= context.with(PROBED, () => context.active().getValue(PROBE) === true)
  return managed
}
