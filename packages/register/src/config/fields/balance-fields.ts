import { type Field, MAX_MS } from './field.js'

/** Zones, warm-up, panic and limits: how requests are shared among the instances of base or of one lane. */
export const BALANCE_FIELDS = {
  zone: {
    variable: 'LANEWAY_ZONE',
    kind: 'text',
    meaning: 'the zone of this process, as the registry names zones; within a lane its instances are preferred',
    fallback: 'the Nacos cluster, or the label `topology.kubernetes.io/zone` of the pod',
  },
  zonePrefer: {
    variable: 'LANEWAY_ZONE_PREFER',
    kind: ['capacity', 'always', 'hints', 'never'],
    meaning: 'how the own zone is preferred; the README of `@laneway/discovery` explains the four',
    fallback: '`capacity`; `hints` where the zone comes from Kubernetes',
  },
  zoneCallers: {
    variable: 'LANEWAY_ZONE_CALLERS',
    kind: 'text',
    meaning: 'the service that this process belongs to: its instances say how many callers each zone has',
    fallback: 'callers are evenly spread over the zones',
  },
  panicPercent: {
    variable: 'LANEWAY_PANIC_PERCENT',
    kind: 'integer',
    least: 0,
    most: 100,
    meaning: 'below this share of usable instances, a lane or base ignores health, in percent',
    fallback: '0: never while one is usable',
  },
  slowStartMs: {
    variable: 'LANEWAY_SLOW_START_MS',
    kind: 'integer',
    least: 0,
    most: MAX_MS,
    meaning: 'how long the share of a new instance grows until it is the whole, in ms',
    fallback: '0: at once',
  },
  maxInFlight: {
    variable: 'LANEWAY_MAX_IN_FLIGHT',
    kind: 'integer',
    least: 1,
    most: 1_000_000,
    meaning: 'requests that this process has in flight at one instance at most',
    fallback: 'no limit',
  },
  subsetSize: {
    variable: 'LANEWAY_SUBSET_SIZE',
    kind: 'integer',
    least: 1,
    most: 100_000,
    meaning: 'how many instances of base, and of each lane, this process sends requests to',
    fallback: 'no limit',
  },
  consecutive5xx: {
    variable: 'LANEWAY_CONSECUTIVE_5XX',
    kind: 'integer',
    least: 0,
    most: 1_000_000,
    meaning: 'answers of status 500 to 599 in a row that take an instance out of service for a while',
    fallback: '0: never',
  },
  consecutiveGatewayErrors: {
    variable: 'LANEWAY_CONSECUTIVE_GATEWAY_ERRORS',
    kind: 'integer',
    least: 0,
    most: 1_000_000,
    meaning: 'answers of status 502, 503 or 504 in a row that take an instance out of service for a while',
    fallback: '0: never',
  },
} as const satisfies Readonly<Record<string, Field>>
