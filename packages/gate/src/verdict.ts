import type { HopMeasurement, TrafficMeasurement } from './measure/measurement.js'
import type { ResolvedGateOptions } from './options.js'

/**
 * - `good`: as good as base, with enough traffic to know it
 * - `bad`: worse than base
 * - `wait`: cannot be judged yet
 */
export type Verdict = 'good' | 'bad' | 'wait'

/** The verdict on one service, with its numbers. */
export interface HopVerdict {
  readonly measurement: HopMeasurement
  readonly verdict: Verdict
  readonly reasons: readonly string[]
}

/** The verdict on the lane: bad if one service is bad, good only if all are good. */
export interface Judgement {
  readonly verdict: Verdict
  readonly hops: readonly HopVerdict[]
}

type Thresholds = Pick<
  ResolvedGateOptions,
  | 'minRequests'
  | 'minBaseRequests'
  | 'maxErrorExcess'
  | 'maxLatencyRatio'
  | 'latencySlackMs'
  | 'latencyQuantile'
  | 'maxAgeSeconds'
>

/** Judges one round of measurements. Missing or old data, or data that is no number, leads to `wait`. Never throws. */
export function judge(measurements: readonly HopMeasurement[], thresholds: Thresholds): Judgement {
  const hops = measurements.map(measurement => judgeHop(measurement, thresholds))
  const has = (verdict: Verdict) => hops.some(hop => hop.verdict === verdict)
  return { verdict: has('bad') ? 'bad' : has('wait') || hops.length === 0 ? 'wait' : 'good', hops }
}

function judgeHop(measurement: HopMeasurement, thresholds: Thresholds): HopVerdict {
  const waits = doubts(measurement, thresholds)
  if (waits.length > 0) return { measurement, verdict: 'wait', reasons: waits }
  const { lane, base } = measurement
  const bad: string[] = []
  const excess = ratio(lane) - ratio(base)
  if (excess > thresholds.maxErrorExcess) {
    bad.push(
      `errors ${percent(ratio(lane))} against ${percent(ratio(base))} of base, more than ${percent(thresholds.maxErrorExcess)} above`,
    )
  }
  const [slow, usual] = [lane.latency!, base.latency!]
  const slower = slow - usual > thresholds.latencySlackMs / 1_000
  if (slower && slow > usual * thresholds.maxLatencyRatio) {
    bad.push(
      `p${thresholds.latencyQuantile * 100} ${milliseconds(slow)} against ${milliseconds(usual)} of base, more than ${thresholds.maxLatencyRatio} times`,
    )
  }
  return { measurement, verdict: bad.length > 0 ? 'bad' : 'good', reasons: bad }
}

/** Why a hop cannot be judged. Each condition is written as what must hold, so that NaN fails it. */
function doubts(measurement: HopMeasurement, thresholds: Thresholds): string[] {
  const { lane, base, ageSeconds, targetsDown, doubt } = measurement
  const found: string[] = []
  if (doubt !== undefined) found.push(doubt)
  if (ageSeconds === undefined) found.push('no metrics')
  else if (!(ageSeconds <= thresholds.maxAgeSeconds)) {
    found.push(`the newest sample is ${ageSeconds.toFixed(0)} s old, more than ${thresholds.maxAgeSeconds} s`)
  }
  if (!(targetsDown === 0)) found.push(`${targetsDown} target(s) cannot be scraped`)
  for (const [who, traffic, least] of [
    ['lane', lane, thresholds.minRequests],
    ['base', base, thresholds.minBaseRequests],
  ] as const) {
    if (!(traffic.requests >= least)) found.push(`${Math.ceil(least - traffic.requests)} requests of ${who} missing`)
    else if (traffic.latency === undefined || Number.isNaN(traffic.latency)) found.push(`no latency of ${who}`)
    else if (!(traffic.errors >= 0 && traffic.errors <= traffic.requests)) found.push(`impossible errors of ${who}`)
  }
  if (found.length === 0 && lane.latency === Number.POSITIVE_INFINITY && base.latency === Number.POSITIVE_INFINITY) {
    found.push('latency beyond the last bucket on both sides')
  }
  return found
}

function ratio({ requests, errors }: TrafficMeasurement): number {
  return errors / requests
}

export function percent(value: number): string {
  return Number.isFinite(value) ? `${(value * 100).toFixed(2)} %` : '-'
}

export function milliseconds(seconds: number | undefined): string {
  if (seconds === undefined) return '-'
  return Number.isFinite(seconds) ? `${(seconds * 1_000).toFixed(0)} ms` : 'beyond the last bucket'
}
