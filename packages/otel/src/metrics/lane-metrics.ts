import { BASE_TAG } from '@laneway/core'
import { flag, headerName, type OptionTable, readOptions, texts, unchecked } from '@laneway/core/internal'
import { type BatchObservableResult, type Meter, type MeterProvider, metrics } from '@opentelemetry/api'
import { measureClients } from './client-durations.js'
import { countEvents } from './event-counts.js'
import { observeGroups } from './group-gauges.js'
import { LaneLabels, type ObservedCount, type ObservedResolver } from './lane-labels.js'
import { measureServers } from './server-durations.js'

/** Options of {@link startLaneMetrics}. */
export interface LaneMetricsOptions {
  /** The resolver whose services `laneway.endpoints` and `laneway.snapshot.age` show. @default none: no such metrics */
  resolver?: ObservedResolver
  /**
   * Lanes that get a label value of their own even before a registry lists them, at most 32.
   * @default []; the registry's and the instance's are known without
   */
  lanes?: readonly string[]
  /** The header that carries the lane. @default 'x-mse-tag' */
  header?: string
  /**
   * Measures the duration of every HTTP request of the process, in and out.
   * @default true; it costs an object, a listener and a record per request
   */
  durations?: boolean
  /** @default metrics.getMeterProvider(), as it is now: in JavaScript a meter taken before the SDK starts stays mute */
  meterProvider?: MeterProvider
}

const OPTIONS = {
  resolver: unchecked<ObservedResolver | undefined>(),
  lanes: texts(),
  header: headerName,
  durations: flag(true),
  meterProvider: unchecked<MeterProvider | undefined>(),
} satisfies OptionTable<LaneMetricsOptions>

// https://opentelemetry.io/docs/specs/semconv/http/http-metrics/
const SECONDS = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10]

/**
 * Counts and measures what Laneway does, on the OpenTelemetry metrics API. Call it once, after the SDK has started.
 *
 * @returns ends it
 * @throws LanewayError `LANEWAY_INVALID_OPTION`, `LANEWAY_INVALID_TAG`
 */
export function startLaneMetrics(options: LaneMetricsOptions = {}): () => void {
  const { resolver, lanes, header, durations, meterProvider } = readOptions('startLaneMetrics', options, OPTIONS)
  const labels = new LaneLabels('startLaneMetrics', lanes, resolver)
  const meter = (meterProvider ?? metrics.getMeterProvider()).getMeter('@laneway/otel')
  const ends = [countEvents(meter, labels), observeGroups(meter, labels)]
  if (resolver !== undefined) ends.push(observeServices(meter, labels, resolver))
  if (durations) {
    const histogram = (name: string, description: string) =>
      meter.createHistogram(name, { description, unit: 's', advice: { explicitBucketBoundaries: SECONDS } })
    ends.push(
      measureServers(histogram('laneway.server.request.duration', 'HTTP requests served, by lane'), labels),
      measureClients(histogram('laneway.client.request.duration', 'HTTP requests sent, by lane'), labels, header),
    )
  }
  return () => {
    for (const end of ends) end()
  }
}

function observeServices(meter: Meter, labels: LaneLabels, resolver: ObservedResolver): () => void {
  const endpoints = meter.createObservableGauge('laneway.endpoints', {
    description: 'Endpoints, by service, lane and state',
    unit: '{endpoint}',
  })
  const age = meter.createObservableGauge('laneway.snapshot.age', {
    description: 'Time since the last good answer of the registry, by service',
    unit: 's',
  })
  const observe = (result: BatchObservableResult) => {
    for (const { service, ageMs, base, lanes } of resolver.states()) {
      if (ageMs === undefined) continue
      result.observe(age, ageMs / 1000, { service })
      const groups = new Map([[BASE_TAG, sum(undefined, base)]])
      for (const [tag, count] of lanes) {
        labels.learn(tag)
        const lane = labels.ofTag(tag)
        groups.set(lane, sum(groups.get(lane), count))
      }
      for (const [lane, count] of groups) {
        const { endpoints: all, usable, ejected } = count
        result.observe(endpoints, usable, { service, lane, state: 'usable' })
        result.observe(endpoints, ejected, { service, lane, state: 'ejected' })
        result.observe(endpoints, Math.max(0, all - usable - ejected), { service, lane, state: 'unusable' })
      }
    }
  }
  const observed = [endpoints, age]
  meter.addBatchObservableCallback(observe, observed)
  return () => meter.removeBatchObservableCallback(observe, observed)
}

function sum(a: ObservedCount | undefined, b: ObservedCount): ObservedCount {
  return a === undefined
    ? b
    : { endpoints: a.endpoints + b.endpoints, usable: a.usable + b.usable, ejected: a.ejected + b.ejected }
}
