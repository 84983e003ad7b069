import { type OptionTable, readOptions, text, whole } from '@laneway/core/internal'
import { connectPrometheus } from '@laneway/gate/internal'
import type { Flow } from '../wire.js'
import type { FlowReader } from './reader.js'

/** Options of {@link prometheusReader}. */
export interface PrometheusReaderOptions {
  /** With user and password where it asks for them. */
  url: string
  /** Bearer token. @default none */
  token?: string | undefined
  /** Label that names the calling service. @default 'job' */
  serviceLabel?: string
  /** The rates are of this time. @default 60, four scrapes of the usual 15 s */
  windowSeconds?: number
}

const OPTIONS = {
  url: (value, place) => {
    if (typeof value !== 'string' || !/^https?:/.test(value) || !URL.canParse(value)) {
      throw place.unexpected('an http(s) URL', typeof value === 'string' ? value.replace(/^.*@/, '***@') : value)
    }
    return value
  },
  token: text(undefined),
  serviceLabel: (value, place) => {
    const label = value ?? 'job'
    if (typeof label !== 'string' || !/^[a-zA-Z_]\w*$/.test(label)) throw place.unexpected('a label name', value)
    return label
  },
  windowSeconds: whole(60, 1, 86_400),
} satisfies OptionTable<PrometheusReaderOptions>

/**
 * Reads the calls between services from the metric `laneway.decisions` of `@laneway/otel`.
 *
 * @throws LanewayError `LANEWAY_INVALID_OPTION`
 */
export function prometheusReader(options: PrometheusReaderOptions): FlowReader {
  const { url, token, serviceLabel, windowSeconds } = readOptions('prometheusReader', options, OPTIONS)
  const prometheus = connectPrometheus(url, token)
  const labels = [serviceLabel, 'service', 'lane', 'served', 'outcome'].join(', ')
  const expression = `sum by (${labels}) (rate(laneway_decisions_total[${windowSeconds}s]))`
  return {
    name: `Prometheus ${new URL(url).host}`,
    async read() {
      const series = await prometheus.query(expression, await prometheus.now())
      return series.flatMap(({ labels: found, samples }): Flow[] => {
        const perSecond = samples.at(-1)?.[1] ?? Number.NaN
        const { service: to, lane = 'base', served = 'none', outcome = '' } = found
        const from = found[serviceLabel]
        if (!(perSecond > 0) || from === undefined || to === undefined) return []
        return [{ from, to, lane, served, outcome, perSecond }]
      })
    },
  }
}
