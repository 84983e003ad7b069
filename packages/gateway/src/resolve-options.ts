import {
  callback,
  flag,
  headerNames,
  milliseconds,
  nested,
  type Option,
  type OptionPlace,
  type OptionTable,
  type OptionValues,
  oneOf,
  optional,
  port,
  readOptions,
  text,
  texts,
  traceOption,
  unchecked,
  whole,
} from '@laneway/core/internal'
import type {
  ClientOptions,
  DrainOptions,
  GatewayOptions,
  ListenerOptions,
  UpstreamOptions,
} from './gateway-options.js'
import type { LogDestination } from './observe/access-log.js'
import type { ServiceOf } from './route/backend.js'

const LISTENER = {
  port: port(0, 0),
  host: text('0.0.0.0'),
  protocol: oneOf(['http', 'https', 'h2c'], 'http'),
  tls: unchecked<ListenerOptions['tls']>(),
} satisfies OptionTable<ListenerOptions>

const CLIENT = {
  headersTimeoutMs: milliseconds(60_000),
  handshakeTimeoutMs: milliseconds(10_000),
  keepAliveMs: milliseconds(75_000),
  stallTimeoutMs: milliseconds(60_000),
} satisfies OptionTable<ClientOptions>

const UPSTREAM = {
  connectTimeoutMs: milliseconds(2000, 1),
  headersTimeoutMs: milliseconds(60_000),
  bodyTimeoutMs: milliseconds(300_000),
  keepAliveMs: milliseconds(4000, 1),
  connections: whole(1024, 1, 65_535),
  tls: unchecked<UpstreamOptions['tls']>(),
} satisfies OptionTable<UpstreamOptions>

const DRAIN = { delayMs: milliseconds(0), timeoutMs: milliseconds(25_000) } satisfies OptionTable<DrainOptions>

const ADMIN = { port: port(0, 0), host: text('127.0.0.1') } satisfies OptionTable<NonNullable<GatewayOptions['admin']>>

/** Options that are objects of options. A configuration file says the same, so its check reads the same tables. */
export const OPTION_GROUPS = { admin: ADMIN, client: CLIENT, upstream: UPSTREAM, drain: DRAIN }

/** The names of a listener's options. */
export const LISTENER_KEYS: readonly string[] = Object.keys(LISTENER)

const proxies: Option<number> = (value, place) =>
  value === 'all' ? Number.POSITIVE_INFINITY : whole(0, 0, 16)(value, place)

/** As an ingress reads it, which gets it as it is. */
const trace: Option<NonNullable<GatewayOptions['trace']>> = (value, place) => {
  traceOption(value, place)
  return (value ?? true) as NonNullable<GatewayOptions['trace']>
}

/** Options that are one value, in a program as in a configuration file. */
export const SINGLE_OPTIONS = {
  header: headerNames,
  proxies,
  forwarded: flag(false),
  hostHeader: oneOf(['keep', 'service'], 'keep'),
  privateAnswers: flag(true),
  propagateTo: texts(),
  trace,
}

const resolver: Option<GatewayOptions['resolver']> = (value, place) => {
  if (typeof (value as { pick?: unknown } | undefined)?.pick === 'function') return value as GatewayOptions['resolver']
  throw place.unexpected('what createLaneResolver() returns', value)
}

const routes: Option<GatewayOptions['routes']> = (value, place) => {
  if (!Array.isArray(value)) throw place.unexpected('a list', value)
  return value
}

const accessLog: Option<NonNullable<GatewayOptions['accessLog']>> = (value = false, place) => {
  const takesLines = typeof value === 'function' || typeof (value as LogDestination | null)?.write === 'function'
  if (typeof value === 'boolean' || takesLines) return value as NonNullable<GatewayOptions['accessLog']>
  throw place.unexpected('true, false, a function or a stream', value)
}

/** Reads one listener. */
export function readListener(value: unknown, place: OptionPlace): Required<Omit<ListenerOptions, 'tls'>> {
  const listener = readOptions(place, value as object, LISTENER)
  const { protocol, tls } = listener
  if (protocol === 'https' && tls === undefined) throw place.at('tls').invalid('is needed for https: { cert, key }')
  if (protocol !== 'https' && tls !== undefined) {
    throw place.at('tls').invalid(`is for protocol https, received protocol "${protocol}"`)
  }
  return listener
}

const listeners: Option<readonly ListenerOptions[]> = (value = [{}], place) => {
  if (!Array.isArray(value) || value.length === 0) throw place.unexpected('a list of at least one', value)
  return Object.freeze(value.map((listener, index) => readListener(listener, place.at(index))))
}

const OPTIONS = {
  resolver,
  routes,
  rules: unchecked<GatewayOptions['rules']>(),
  listeners,
  admin: optional(nested(ADMIN)),
  trust: unchecked<NonNullable<GatewayOptions['trust']>>('edge'),
  ...SINGLE_OPTIONS,
  client: nested(CLIENT),
  upstream: nested(UPSTREAM),
  accessLog,
  onUpstreamError: callback<NonNullable<GatewayOptions['onUpstreamError']>>(),
  drain: nested(DRAIN),
  serviceOf: callback<ServiceOf, ServiceOf>(serviceOfBackend),
  random: callback<() => number, () => number>(Math.random),
} satisfies OptionTable<GatewayOptions>

/** {@link GatewayOptions} with every default. */
export type ResolvedGatewayOptions = OptionValues<typeof OPTIONS>

/** {@link ClientOptions} with every default. */
export type ResolvedClientOptions = OptionValues<typeof CLIENT>

/** @throws LanewayError `LANEWAY_INVALID_OPTION` */
export function resolveGatewayOptions(input: GatewayOptions): ResolvedGatewayOptions {
  return readOptions('createGateway', input, OPTIONS)
}

/** The default of `serviceOf`. The port of a backend is not used, because the registry knows the ports of its endpoints. */
export function serviceOfBackend({ name, namespace }: Parameters<ServiceOf>[0]): string {
  return namespace === undefined ? name : `${name}.${namespace}`
}
