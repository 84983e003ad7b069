import { exposition, type Family } from './exposition.js'

/** Upper bounds in seconds: those of Prometheus' clients, and two more for slow answers. */
const BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30]
/** Lane names that become label values; the rest is `_other`. */
const MAX_LANES = 32

interface Series {
  readonly labels: string
  value: number
}

interface Durations {
  readonly labels: string
  readonly counts: number[]
  sum: number
  count: number
}

/** What is counted of a request when it has ended. */
export interface Measured {
  readonly route: string
  readonly lane: string | undefined
  /** The lane comes from rules, routes or a registry, so its name may become a label. */
  readonly laneIsKnown: boolean
  readonly served: string | undefined
  readonly outcome: string
  readonly status: number
  readonly seconds: number
  readonly requestBytes: number
  readonly responseBytes: number
}

/**
 * The metrics of the gateway in Prometheus' text format. No client library, because the metrics are few and fixed: a
 * request costs three look-ups (benchmark table `gateway`).
 */
export class Metrics {
  inFlight = 0
  upgraded = 0
  readonly #lanes = new Set<string>()
  readonly #requests = new Map<string, Series>()
  readonly #durations = new Map<string, Durations>()
  readonly #bytesIn = new Map<string, Series>()
  readonly #bytesOut = new Map<string, Series>()
  readonly #refused = new Map<string, Series>()
  readonly #reloads = new Map<string, Series>()

  request(measured: Measured): void {
    const { route, outcome, status, seconds } = measured
    const lane = this.#labelOf(measured.lane, measured.laneIsKnown)
    const served = this.#labelOf(measured.served, true)
    const code = status === 0 ? 'aborted' : CLASSES[Math.floor(status / 100)]!
    const key = `${route}\n${lane}\n${served}\n${outcome}\n${code}`
    let series = this.#requests.get(key)
    if (series === undefined) {
      series = { labels: labels({ route, lane, served, outcome, code }), value: 0 }
      this.#requests.set(key, series)
    }
    series.value++
    const durationKey = `${route}\n${lane}`
    let durations = this.#durations.get(durationKey)
    if (durations === undefined) {
      durations = { labels: labels({ route, lane }), counts: BUCKETS.map(() => 0), sum: 0, count: 0 }
      this.#durations.set(durationKey, durations)
    }
    durations.sum += seconds
    durations.count++
    for (let index = 0; index < BUCKETS.length; index++) {
      if (seconds <= BUCKETS[index]!) {
        durations.counts[index]!++
        break
      }
    }
    if (measured.requestBytes > 0) add(this.#bytesIn, 'route', route, measured.requestBytes)
    if (measured.responseBytes > 0) add(this.#bytesOut, 'route', route, measured.responseBytes)
  }

  /** A request that was refused before a route was looked for. */
  refused(reason: string): void {
    add(this.#refused, 'reason', reason, 1)
  }

  /** @param what - `routes`, `rules` or `config` */
  reloaded(what: string, taken: boolean): void {
    const result = taken ? 'taken' : 'refused'
    const key = `${what}\n${result}`
    const series = this.#reloads.get(key) ?? { labels: labels({ what, result }), value: 0 }
    series.value++
    this.#reloads.set(key, series)
  }

  /** In the text format 0.0.4. */
  text(ready: boolean): string {
    const single = (value: number): Iterable<Series> => [{ labels: '', value }]
    const families: Family[] = [
      {
        name: 'laneway_gateway_requests_total',
        help: 'Requests by route, lane of the request, lane of the endpoint, outcome of the choice, class of the status.',
        type: 'counter',
        samples: this.#requests.values(),
      },
      {
        name: 'laneway_gateway_request_duration_seconds',
        help: 'From the head of the request to the end of the answer.',
        type: 'histogram',
        samples: this.#buckets(),
      },
      {
        name: 'laneway_gateway_request_bytes_total',
        help: 'Bytes of request bodies.',
        type: 'counter',
        samples: this.#bytesIn.values(),
      },
      {
        name: 'laneway_gateway_response_bytes_total',
        help: 'Bytes of answers, without their heads.',
        type: 'counter',
        samples: this.#bytesOut.values(),
      },
      {
        name: 'laneway_gateway_refused_total',
        help: 'Requests that were not valid HTTP.',
        type: 'counter',
        samples: this.#refused.values(),
      },
      {
        name: 'laneway_gateway_reloads_total',
        help: 'Documents that were taken or refused while running: config, routes, rules.',
        type: 'counter',
        samples: this.#reloads.values(),
      },
      {
        name: 'laneway_gateway_in_flight_requests',
        help: 'Requests in flight.',
        type: 'gauge',
        samples: single(this.inFlight),
      },
      {
        name: 'laneway_gateway_upgraded_connections',
        help: 'Open WebSockets.',
        type: 'gauge',
        samples: single(this.upgraded),
      },
      { name: 'laneway_gateway_ready', help: 'What /readyz says.', type: 'gauge', samples: single(ready ? 1 : 0) },
    ]
    return exposition(families)
  }

  /** Only known names become labels, and only so many, because a client must not be able to create series. */
  #labelOf(lane: string | undefined, isKnown: boolean): string {
    if (lane === undefined) return 'base'
    if (this.#lanes.has(lane)) return lane
    if (!isKnown || this.#lanes.size >= MAX_LANES) return '_other'
    this.#lanes.add(lane)
    return lane
  }

  *#buckets(): Generator<Series & { readonly suffix: string }> {
    for (const { labels: own, counts, sum, count } of this.#durations.values()) {
      let below = 0
      for (const [index, bound] of BUCKETS.entries()) {
        below += counts[index]!
        yield { suffix: '_bucket', labels: `${own},le="${bound}"`, value: below }
      }
      yield { suffix: '_bucket', labels: `${own},le="+Inf"`, value: count }
      yield { suffix: '_sum', labels: own, value: sum }
      yield { suffix: '_count', labels: own, value: count }
    }
  }
}

const CLASSES = ['aborted', '1xx', '2xx', '3xx', '4xx', '5xx', '6xx', '7xx', '8xx', '9xx']

function add(series: Map<string, Series>, label: string, value: string, amount: number): void {
  let one = series.get(value)
  if (one === undefined) {
    one = { labels: labels({ [label]: value }), value: 0 }
    series.set(value, one)
  }
  one.value += amount
}

function labels(values: Readonly<Record<string, string>>): string {
  return Object.entries(values)
    .map(([name, value]) => `${name}="${value.replace(/[\\"\n]/g, escapeLabel)}"`)
    .join(',')
}

function escapeLabel(character: string): string {
  return character === '\n' ? '\\n' : `\\${character}`
}
