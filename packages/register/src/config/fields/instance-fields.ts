import type { Field } from './field.js'

/** How this process registers itself. */
export const INSTANCE_FIELDS = {
  service: {
    variable: 'LANEWAY_SERVICE',
    kind: 'text',
    meaning: 'name under which this process registers (Nacos)',
    fallback: 'it does not register',
  },
  port: {
    variable: 'LANEWAY_PORT',
    kind: 'integer',
    least: 1,
    most: 65_535,
    meaning: 'port to register',
    fallback: 'the first port that an HTTP server listens on',
  },
  ip: {
    variable: 'LANEWAY_IP',
    kind: 'text',
    meaning: 'address to register',
    fallback: 'the address the server is bound to, else the one from which this machine reaches Nacos',
  },
  interface: {
    variable: 'LANEWAY_INTERFACE',
    kind: 'text',
    meaning: 'network interface whose address is registered, e.g. `eth0`; IPv4 before IPv6',
    fallback: 'as `ip`',
  },
  weight: {
    variable: 'LANEWAY_WEIGHT',
    kind: 'integer',
    least: 0,
    most: 10_000,
    meaning: 'weight to register',
    fallback: '1',
  },
  metadata: {
    variable: 'LANEWAY_METADATA',
    kind: 'map',
    meaning: 'metadata to register, `key=value` pairs; the lane is added',
    fallback: 'none',
  },
  tag: {
    variable: 'LANEWAY_TAG',
    kind: 'text',
    meaning: 'own lane; `MSE_ALICLOUD_SERVICE_TAG` and pod labels are read, too',
    fallback: 'base',
  },
} as const satisfies Readonly<Record<string, Field>>
