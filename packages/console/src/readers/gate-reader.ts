import type { GateOptions, HopMeasurement } from '@laneway/gate'
import { connectPrometheus, judge, measureHop, resolveGateOptions } from '@laneway/gate/internal'
import type { GateReading } from './reader.js'

/** Options of {@link gateReader}: those of the gate that measure and judge. */
export type GateReaderOptions = Omit<GateOptions, 'onFail' | 'dryRun' | 'gitopsManagers'> & {
  /** Bearer token for Prometheus. @default none */
  prometheusToken?: string | undefined
}

/**
 * Judges a lane as `laneway-gate` would at this moment, and changes nothing. The window is `windowSeconds`, also when a pause
 * began later.
 *
 * @throws GateError `LANEWAY_GATE_INVALID_OPTION`
 */
export function gateReader({ prometheusToken, ...options }: GateReaderOptions): () => Promise<GateReading> {
  const resolved = resolveGateOptions(options)
  const prometheus = connectPrometheus(resolved.prometheus, prometheusToken)
  return async () => {
    const at = await prometheus.now()
    const measured = await Promise.all(
      resolved.hops.map(hop =>
        measureHop(prometheus, resolved, hop, at, resolved.windowSeconds, hop.rollout !== undefined),
      ),
    )
    const { verdict, hops } = judge(measured, resolved)
    const services = hops.map((hop, index) => {
      const { rollout } = resolved.hops[index]!
      return {
        service: hop.measurement.service,
        ...(rollout !== undefined && { rollout }),
        verdict: hop.verdict,
        reasons: hop.reasons,
        numbers: numbersOf(hop.measurement, resolved.windowSeconds, resolved.latencyQuantile),
      }
    })
    return { lane: resolved.lane, verdict, services }
  }
}

function numbersOf({ lane, base }: HopMeasurement, seconds: number, quantile: number) {
  const errors = (one: HopMeasurement['lane']) => (100 * one.errors) / one.requests
  const ms = (one: HopMeasurement['lane']) => (one.latency ?? Number.NaN) * 1000
  return [
    { name: 'requests', unit: '/s', lane: lane.requests / seconds, base: base.requests / seconds },
    { name: 'errors', unit: '%', lane: errors(lane), base: errors(base) },
    { name: `p${quantile * 100}`, unit: 'ms', lane: ms(lane), base: ms(base) },
  ]
}
