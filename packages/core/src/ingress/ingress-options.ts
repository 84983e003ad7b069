import type { Lane } from '../lane/lane.js'
import { colourOwnLane, ownLane } from '../lane/own-lane.js'
import { callback, checked, flag, type Option, oneOf, unchecked } from '../options/option.js'
import { type OptionTable, readOptions } from '../options/read-options.js'
import { type TraceOptions, type TraceSettings, traceOption } from '../trace/trace-options.js'
import { emitLanewayWarning, type Warn } from '../warning.js'
import { headerNames } from '../wire/header-name.js'
import { laneFormats } from '../wire/lane-formats.js'
import type { LaneFormat } from '../wire/reading.js'
import { noteFormats } from '../wire/sent-baggage.js'
import type { IngressRequest } from './request.js'
import type { RequestView } from './request-view.js'
import { resolveTrust, type Trust } from './trust.js'

/** Options of every ingress: Express, Fastify, node:http. */
export interface IngressOptions {
  /**
   * The header that carries the lane. Of a list, for migrations, the first that a request has is read; what is refused is removed
   * under all of its names.
   * @default 'x-mse-tag', what MSE and OpenKruise Rollouts use
   */
  header?: string | readonly string[]
  /** Who may colour a request. @default 'private', because a pod's peers are private and the internet is not */
  trust?: Trust
  /**
   * The carriers to read, in order; the first one present decides.
   * @default ['header', 'mse-baggage', 'baggage'], because services with OpenTelemetry and without Laneway forward baggage only.
   * Leave out 'baggage' behind a Node service that has OpenTelemetry and not Laneway: from a pool with a limit it may send
   * the baggage of another request
   */
  formats?: readonly LaneFormat[]
  /**
   * Colours a request that no believed sender has coloured, for the first service of a chain; see `@laneway/rules`.
   * A rule that throws, or returns a promise, colours nothing.
   * @default none
   */
  rules?: ((request: RequestView) => Lane | undefined) & {
    /** Names the rule that decides, for the events; called only while a channel has a subscriber. */
    readonly ruleOf?: (request: RequestView) => string | undefined
    /** Whether the rule that decides lets its requests ask for their path; called only for requests that ask. */
    readonly tracesOf?: (request: RequestView) => boolean
  }
  /**
   * `colour`: whatever enters this instance untagged, and work without a request (cron, start-up), runs in the
   * instance's own lane. `ignore`: it stays untagged.
   * @default 'ignore', because a base request that strays here belongs to base
   */
  ownLane?: 'ignore' | 'colour'
  /** This instance's own tag. @default see `ownLane()` of this package: LANEWAY_TAG, pod labels, … */
  tag?: string
  /**
   * Answers requests that ask by `x-laneway-trace: 1` for their path, in `x-laneway-path`: those of senders whose tags are trusted,
   * and others by a token or a rule. `false` answers none; the header is removed then, too.
   * @default true, because only trusted senders get an answer, and other requests cost nothing
   */
  trace?: boolean | TraceOptions
  /**
   * An ingress further in may decide again, with its own options: under a preload, the options of the application hold. It
   * reads what is still on the request, and keeps a lane that came from rules or from `ownLane`.
   * @default false
   */
  provisional?: boolean
  /**
   * Called once when a tag was believed on a request that came through a proxy (`X-Forwarded-For`), while `trust` is
   * 'private': the address of the proxy is private for every request.
   * @default a process warning
   */
  warn?: Warn
}

/** {@link IngressOptions} after the check, with defaults. */
export interface IngressSettings {
  readonly names: readonly [string, ...string[]]
  readonly formats: readonly LaneFormat[]
  readonly trusts: (request: IngressRequest) => boolean
  readonly rules: IngressOptions['rules']
  /** The lane of this instance. */
  readonly own: Lane | undefined
  /** The same, where untagged work runs in it. */
  readonly colour: Lane | undefined
  readonly provisional: boolean
  readonly trace: TraceSettings | undefined
  readonly warn: Warn
}

const OPTIONS = {
  header: headerNames,
  trust: ((value, place) => resolveTrust(value as Trust | undefined, place)) satisfies Option<unknown>,
  formats: laneFormats(['header', 'mse-baggage', 'baggage']),
  // The object that `parseRules` returns would be an easy mistake, and every request would silently be base.
  rules: checked<IngressOptions['rules'], IngressOptions['rules']>(
    undefined,
    value => typeof value === 'function',
    'a function, such as `laneOf` of parseRules()',
  ),
  ownLane: oneOf(['ignore', 'colour'], 'ignore'),
  tag: unchecked<string | undefined>(),
  provisional: flag(false),
  trace: traceOption,
  warn: callback<Warn, Warn>(emitLanewayWarning),
} satisfies OptionTable<IngressOptions>

/** @throws LanewayError `LANEWAY_INVALID_OPTION`, `LANEWAY_INVALID_TAG` */
export function resolveIngressOptions(where: string, input: IngressOptions): IngressSettings {
  const {
    header: names,
    trust,
    formats,
    rules,
    ownLane: mode,
    tag,
    provisional,
    trace,
    warn,
  } = readOptions(where, input, OPTIONS)
  noteFormats(formats)
  const own = ownLane({ tag })
  const colour = mode === 'colour' ? own : undefined
  if (colour !== undefined) colourOwnLane(colour)
  return { names, formats, trusts: trust, rules, own, colour, provisional, trace, warn }
}
