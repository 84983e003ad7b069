import type { TrafficMeasurement } from './measure/measurement.js'
import { type HopVerdict, type Judgement, milliseconds, percent } from './verdict.js'

/** A judgement as lines for people: one for the lane, one per service, one per reason. */
export function describeJudgement({ verdict, hops }: Judgement, heading: string): string[] {
  return [`${heading}: ${verdict}`, ...hops.flatMap(describeHop)]
}

/** The reasons of a judgement in one line, for an event. */
export function summarise({ hops }: Judgement): string {
  return hops
    .filter(hop => hop.reasons.length > 0)
    .map(hop => `${hop.measurement.service}: ${hop.reasons.join(', ')}`)
    .join('; ')
}

function describeHop({ measurement, verdict, reasons }: HopVerdict): string[] {
  const { service, lane, base } = measurement
  return [
    `  ${service}  ${verdict}  lane ${describeTraffic(lane)} | base ${describeTraffic(base)}`,
    ...reasons.map(reason => `    ${reason}`),
  ]
}

function describeTraffic({ requests, errors, latency }: TrafficMeasurement): string {
  return `${Math.round(requests)} requests, errors ${percent(errors / requests)}, ${milliseconds(latency)}`
}
