import type { ResolvedGateOptions } from '../options.js'
import { growth, newest } from './counter.js'
import type { Hop } from './hop.js'
import type { Prometheus, Series } from './prometheus.js'
import { quantileOf } from './quantile.js'

/** Traffic of one service in one window. */
export interface TrafficMeasurement {
  readonly requests: number
  readonly errors: number
  /** Seconds; `Infinity` beyond the last bucket, `undefined` when it is not known. */
  readonly latency: number | undefined
}

/** The traffic of the lane and of base at one service, in the same window. */
export interface HopMeasurement {
  readonly service: string
  readonly lane: TrafficMeasurement
  readonly base: TrafficMeasurement
  /** Age of the newest sample in seconds; `undefined` when there is none. */
  readonly ageSeconds: number | undefined
  /** Targets of the service that Prometheus cannot scrape. */
  readonly targetsDown: number
  /** Why the numbers are not reliable; `undefined` when they are. */
  readonly doubt: string | undefined
}

/** Prometheus ignores samples that are older than this, so a counter's value before the window is at most so old. */
const LOOKBACK_SECONDS = 300

/**
 * Measures one service.
 *
 * In a service that is being released, requests of the lane count only if instances of the lane served them. While these
 * are not ready, base serves the lane, and the health of base would pass for theirs.
 *
 * @param at - seconds, the end of the window
 * @param windowSeconds - its length
 * @param ownInstances - the service has instances of the lane
 * @throws GateError `LANEWAY_GATE_METRICS`
 */
export async function measureHop(
  prometheus: Prometheus,
  options: ResolvedGateOptions,
  hop: Hop,
  at: number,
  windowSeconds: number,
  ownInstances: boolean,
): Promise<HopMeasurement> {
  const { metric, serviceLabel, laneLabel, instanceLabel, lane, baseValue } = options
  const service = `${serviceLabel}=${quote(hop.service)}`
  const instance = ownInstances ? `,${instanceLabel}=${quote(lane)}` : ''
  const selectors = [`${service},${laneLabel}=${quote(lane)}${instance}`, `${service},${laneLabel}=${quote(baseValue)}`]
  const seconds = Math.max(1, Math.floor(windowSeconds))
  const read = async (selector: string) => {
    const [counts, buckets] = await Promise.all([
      prometheus.query(`${metric}_count{${selector}}[${seconds + LOOKBACK_SECONDS}s]`, at),
      prometheus.query(`sum by (le) (increase(${metric}_bucket{${selector}}[${seconds}s]))`, at),
    ])
    return { counts, traffic: trafficOf(counts, buckets, at - seconds, options) }
  }
  const [ofLane, ofBase] = (await Promise.all(selectors.map(read))) as [
    Awaited<ReturnType<typeof read>>,
    Awaited<ReturnType<typeof read>>,
  ]
  const targets = await prometheus.query(`up{${service}}`, at)
  const last = newest([...ofLane.counts, ...ofBase.counts])
  return {
    service: hop.service,
    lane: ofLane.traffic ?? NOTHING,
    base: ofBase.traffic ?? NOTHING,
    ageSeconds: last === undefined ? undefined : at - last,
    targetsDown: targets.filter(target => target.samples.at(-1)?.[1] !== 1).length,
    doubt: ofLane.traffic === undefined || ofBase.traffic === undefined ? 'a counter is not a number' : undefined,
  }
}

const NOTHING: TrafficMeasurement = { requests: 0, errors: 0, latency: undefined }

/** @returns `undefined` when a counter is not reliable */
function trafficOf(
  counts: readonly Series[],
  buckets: readonly Series[],
  start: number,
  options: ResolvedGateOptions,
): TrafficMeasurement | undefined {
  let requests = 0
  let errors = 0
  for (const { labels, samples } of counts) {
    const grown = growth(samples, start)
    if (grown === undefined) return undefined
    requests += grown
    const status = labels[options.statusLabel] ?? ''
    // Without a status the request ended without an answer, for a reason that error.type names.
    if (status === '' ? (labels['error_type'] ?? '') !== '' : status.startsWith('5')) errors += grown
  }
  return { requests, errors, latency: quantileOf(buckets, options.latencyQuantile) }
}

/** A PromQL string literal. */
function quote(value: string): string {
  return JSON.stringify(value)
}
