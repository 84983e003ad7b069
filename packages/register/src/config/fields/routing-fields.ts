import { type Field, MAX_MS } from './field.js'

/** How an instance is chosen. */
export const ROUTING_FIELDS = {
  resolve: {
    variable: 'LANEWAY_RESOLVE',
    kind: 'flag',
    meaning: '`0`: calls carry the lane and go where they went before, for a service mesh that routes by the tag',
    fallback: '`1`',
  },
  whenLaneMissing: {
    variable: 'LANEWAY_WHEN_LANE_MISSING',
    kind: ['base', 'fail'],
    meaning: 'where a request goes when the service has no instance of its lane',
    fallback: '`base`',
  },
  whenLaneUnavailable: {
    variable: 'LANEWAY_WHEN_LANE_UNAVAILABLE',
    kind: ['base', 'fail', 'panic'],
    meaning: 'where a request goes when no instance of its lane is usable',
    fallback: '`base`',
  },
  policies: {
    variable: 'LANEWAY_POLICIES',
    kind: 'json',
    meaning: 'exceptions from the two above, a JSON list: `[{"service":"pay","whenLaneMissing":"fail"}]`',
    fallback: 'none',
  },
  baseEmpty: {
    variable: 'LANEWAY_BASE_EMPTY',
    kind: ['fail', 'any'],
    meaning: '`any`: a request without lane goes to a lane instance of a service that has no base',
    fallback: '`fail`',
  },
  balancer: {
    variable: 'LANEWAY_BALANCER',
    kind: ['weighted-random', 'round-robin', 'least-request'],
    meaning: 'how an instance is chosen within a lane',
    fallback: '`least-request`',
  },
  aliases: {
    variable: 'LANEWAY_ALIASES',
    kind: 'map',
    meaning: 'hosts for services whose name a URL cannot carry, `host=service` pairs',
    fallback: 'none',
  },
  readyTimeoutMs: {
    variable: 'LANEWAY_READY_TIMEOUT_MS',
    kind: 'integer',
    least: 0,
    most: MAX_MS,
    meaning: 'how long a call to a declared service waits for its first instances, in ms',
    fallback: '5000',
  },
  lookupTimeoutMs: {
    variable: 'LANEWAY_LOOKUP_TIMEOUT_MS',
    kind: 'integer',
    least: 0,
    most: MAX_MS,
    meaning: 'how long the first call of an unknown name waits for the registry, in ms',
    fallback: '1000',
  },
  connectTimeoutMs: {
    variable: 'LANEWAY_CONNECT_TIMEOUT_MS',
    kind: 'integer',
    least: 1,
    most: MAX_MS,
    meaning: 'how long `node:http` waits for a connection before it tries another instance, in ms',
    fallback: '2000',
  },
} as const satisfies Readonly<Record<string, Field>>
