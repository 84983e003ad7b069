import type { LaneFormat } from '@laneway/core'
import {
  hasLaneMember,
  headerName,
  laneFormats,
  type Option,
  type OptionTable,
  readLane,
  readOptions,
  withLaneMember,
  withoutLaneMembers,
} from '@laneway/core/internal'
import type { Context, TextMapGetter, TextMapPropagator, TextMapSetter } from '@opentelemetry/api'
import { withoutLaneBaggage } from './lane-baggage.js'
import { contextInLane, isSuppressed, laneOf } from './lane-context.js'

/** Options of {@link LanePropagator}. */
export interface LanePropagatorOptions {
  /** @default 'x-mse-tag' */
  header?: string
  /** The carriers to read, in order. @default ['header', 'baggage', 'mse-baggage'] */
  formats?: readonly LaneFormat[]
  /**
   * Who may colour. A propagator sees no socket, so `private` does not exist here; where a Laneway ingress follows
   * (Express, Fastify, http), that one decides, and overrules this.
   * @default 'internal', because whatever is extracted without an ingress comes from a queue or an internal RPC
   */
  trust?: 'internal' | 'edge' | ((carrier: unknown) => boolean)
  /**
   * - `false`: nothing is written, and what other propagators wrote stays
   * - `true`: header and baggage member go into every outgoing carrier. For processes without Laneway egress only, with two
   *   hazards: a propagator knows no destination, so the tag goes to third parties; and OpenTelemetry's undici
   *   instrumentation injects in whatever context a pooled request is sent from, which may be another request's
   * - `'remove'`: our members are taken out of the baggage that the propagators before wrote, so that
   *   `createOtelLaneStorage({ baggage: true })` stays inside the process and only egress adapters write lanes
   * @default false, because Laneway's egress adapters write the tag where the lane and the host are known
   */
  inject?: boolean | 'remove'
}

const trust: Option<(carrier: unknown) => boolean> = (value = 'internal', place) => {
  if (value === 'internal') return () => true
  if (value === 'edge') return () => false
  if (typeof value !== 'function') throw place.unexpected('"internal", "edge" or a function', value)
  return carrier => {
    try {
      return value(carrier) === true
    } catch {
      return false
    }
  }
}

const inject: Option<boolean | 'remove'> = (value, place) => {
  if (value === undefined || value === null) return false
  if (typeof value === 'boolean' || value === 'remove') return value
  throw place.unexpected('true, false or "remove"', value)
}

const OPTIONS = {
  header: headerName,
  formats: laneFormats(['header', 'baggage', 'mse-baggage']),
  trust,
  inject,
} satisfies OptionTable<LanePropagatorOptions>

/**
 * Reads the lane into the OpenTelemetry context, for processes and consumers whose requests no Laneway ingress sees.
 * Compose it after the W3C propagators: where the sender is not believed it takes our members out of the baggage that
 * those extracted. Never throws on request data.
 *
 * `OTEL_PROPAGATORS=lane` does not work: in JavaScript that list is closed, and an unknown name alone switches all
 * propagation off. Pass it to `new NodeSDK({ textMapPropagator })` or `propagation.setGlobalPropagator`.
 *
 * @see https://opentelemetry.io/docs/specs/otel/context/api-propagators/
 */
export class LanePropagator implements TextMapPropagator {
  readonly #header: string
  readonly #formats: readonly LaneFormat[]
  readonly #trusts: (carrier: unknown) => boolean
  readonly #inject: boolean | 'remove'

  /** @throws LanewayError `LANEWAY_INVALID_OPTION` */
  constructor(options: LanePropagatorOptions = {}) {
    const { header, formats, trust, inject } = readOptions('LanePropagator', options, OPTIONS)
    this.#header = header
    this.#formats = formats
    this.#trusts = trust
    this.#inject = inject
  }

  inject<Carrier>(context: Context, carrier: Carrier, setter: TextMapSetter<Carrier>): void {
    if (this.#inject === false || isSuppressed(context)) return
    const written = carrier as Record<string, unknown>
    const before = typeof written['baggage'] === 'string' ? written['baggage'] : undefined
    if (this.#inject === true) {
      const lane = laneOf(context)
      if (lane === undefined) return
      setter.set(carrier, this.#header, lane.header)
      setter.set(carrier, 'baggage', withLaneMember(before, lane))
    } else if (before !== undefined && hasLaneMember(before)) {
      const foreign = withoutLaneMembers(before)
      if (foreign === '') delete written['baggage']
      else setter.set(carrier, 'baggage', foreign)
    }
  }

  extract<Carrier>(context: Context, carrier: Carrier, getter: TextMapGetter<Carrier>): Context {
    const headers = { [this.#header]: header(getter, carrier, this.#header), baggage: baggage(getter, carrier) }
    if (headers[this.#header] === undefined && headers.baggage === undefined) return context
    if (!this.#trusts(carrier)) return withoutLaneBaggage(contextInLane(context, undefined))
    const reading = readLane({ headers }, this.#header, this.#formats)
    if (reading === undefined) return context
    return reading.lane === undefined
      ? withoutLaneBaggage(contextInLane(context, undefined))
      : contextInLane(context, reading.lane)
  }

  fields(): string[] {
    return this.#inject === true ? [this.#header, 'baggage'] : []
  }
}

/** Node joins equal header lines with a comma and a space, and no lane has a space: such a value is several lines. */
function header<Carrier>(
  getter: TextMapGetter<Carrier>,
  carrier: Carrier,
  name: string,
): string | string[] | undefined {
  const value = getter.get(carrier, name) as string | string[] | undefined
  return typeof value === 'string' && value.includes(', ') ? value.split(', ') : value
}

function baggage<Carrier>(getter: TextMapGetter<Carrier>, carrier: Carrier): string | undefined {
  const value = getter.get(carrier, 'baggage') as string | string[] | undefined
  return Array.isArray(value) ? value.join(',') : value
}
