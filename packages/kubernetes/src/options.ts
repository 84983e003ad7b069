import {
  callback,
  emitLanewayWarning,
  milliseconds,
  type Option,
  OptionPlace,
  type OptionTable,
  oneOf,
  readOptions,
  text,
  texts,
  unchecked,
  type Warn,
  whole,
} from '@laneway/core/internal'
import { readOwnZone } from './access/own-zone.js'

/** Options of `createKubernetesSource`. */
export interface KubernetesSourceOptions {
  /** A kubeconfig file. @default `KUBECONFIG`, else the pod's service account, else `~/.kube/config` */
  kubeconfig?: string
  /** Context of the kubeconfig. @default its current-context */
  context?: string
  /**
   * Where a service name without namespace is looked up.
   * @default the namespace of the kubeconfig's context, else `POD_NAMESPACE`, else that of the pod, else `default`
   */
  namespace?: string
  /**
   * Where the lane of an endpoint is written.
   * - `podLabels`: on the pods, joined by uid; needs the right to list and watch pods
   * - `serviceLabel`: on the Service, one Service per lane (`orders`, `orders-gray`); needs EndpointSlices only. The
   *   selector of the base Service must exclude the pods of the lane
   * @default 'podLabels'
   */
  laneFrom?: 'podLabels' | 'serviceLabel'
  /** Further labels whose value is a lane tag, e.g. `['version']`. @default none */
  tagLabels?: readonly string[]
  /**
   * The port of services with several: name of the Service port, or its number, which needs the right to list and watch
   * Services. Per service: `{ orders: 'http', 'billing.shop': 8080 }`.
   * @default the only port, else the one named `http`, else the first
   */
  port?: string | number | Readonly<Record<string, string | number>>
  /** Of a dual-stack Service. @default 'IPv4' where it has such endpoints, else 'IPv6' */
  addressFamily?: 'IPv4' | 'IPv6'
  /**
   * The zone of this process, the label `topology.kubernetes.io/zone` of its node. With it, callers keep to the endpoints that
   * topology-aware routing or `trafficDistribution` has set aside for their zone, as kube-proxy does; a Service without such
   * hints is called in all zones. The option `zone` of the resolver prefers the own zone without hints, too.
   * @default the label of that name in `/etc/podinfo/labels`
   */
  zone?: string
  /** Label selector that narrows the pods, e.g. `app.kubernetes.io/part-of=shop`. @default all pods of the namespace */
  podSelector?: string
  /** Label selector that narrows the EndpointSlices. @default all of the namespace */
  sliceSelector?: string
  /** Longest wait for an answer to begin. @default 10000 */
  requestTimeoutMs?: number
  /** A watch without a byte for this long is opened anew. @default 90000; a bookmark comes about once a minute */
  idleTimeoutMs?: number
  /** An endpoint whose pod is unknown for this long is reported to `warn`. @default 30000 */
  reportHeldAfterMs?: number
  /**
   * Everything is listed anew this often, when a watch ends anyway; 0 never.
   * @default 0, as client-go: a watch misses nothing, and the lists of a fleet are a load
   */
  relistMs?: number
  /**
   * Up to so many services asked for in a namespace, only their slices and pods are followed; with more, all of the
   * namespace. 0: always all. Not for `serviceLabel`, where a service has several names.
   * @default 10: each further name is one more list of all of them
   */
  narrowUpTo?: number
  /** First pause after a failure, doubled each time. @default 800, as client-go */
  minBackoffMs?: number
  /** @default 30000, as client-go */
  maxBackoffMs?: number
  /** Longest pause between two rounds of snapshots while much changes: ten times what a round takes, up to this. @default 50 */
  coalesceMs?: number
  /** @default process.env */
  env?: Readonly<Record<string, string | undefined>>
  /** @default a process warning */
  warn?: Warn
  /** @default Math.random */
  random?: () => number
}

const WHERE = 'createKubernetesSource'

/** A text; an empty one counts as left out, because environment variables give such. */
const textOrEmpty: Option<string | undefined> = (value, place) =>
  value === '' ? undefined : text(undefined)(value, place)

const OPTIONS = {
  kubeconfig: textOrEmpty,
  context: textOrEmpty,
  namespace: textOrEmpty,
  laneFrom: oneOf(['podLabels', 'serviceLabel'], 'podLabels'),
  tagLabels: texts(),
  port: unchecked<KubernetesSourceOptions['port']>(),
  addressFamily: oneOf(['IPv4', 'IPv6'], undefined),
  zone: textOrEmpty,
  podSelector: textOrEmpty,
  sliceSelector: textOrEmpty,
  requestTimeoutMs: milliseconds(10_000, 1),
  idleTimeoutMs: milliseconds(90_000, 1),
  reportHeldAfterMs: milliseconds(30_000, 1),
  relistMs: milliseconds(0),
  narrowUpTo: whole(10, 0, 100),
  minBackoffMs: milliseconds(800, 1),
  maxBackoffMs: unchecked<number>(),
  coalesceMs: milliseconds(50),
  env: unchecked<KubernetesSourceOptions['env']>(),
  warn: callback<Warn>(),
  random: callback<() => number>(),
} satisfies OptionTable<KubernetesSourceOptions>

/** {@link KubernetesSourceOptions} with defaults, checked and frozen. */
export type ResolvedKubernetesSourceOptions = ReturnType<typeof resolveKubernetesSourceOptions>

/** @throws LanewayError `LANEWAY_INVALID_OPTION` */
export function resolveKubernetesSourceOptions(input: KubernetesSourceOptions = {}) {
  const { port, minBackoffMs, maxBackoffMs, env, warn, random, ...read } = readOptions(WHERE, input, OPTIONS)
  const place = new OptionPlace(WHERE)
  const perService = typeof port === 'object' && port !== null ? Object.entries(port) : undefined
  return Object.freeze({
    ...read,
    zone: read.zone ?? readOwnZone('/etc/podinfo/labels'),
    port: perService === undefined ? readPort(port, place.at('port')) : undefined,
    /** By service name in lower case. */
    ports: new Map(
      perService?.map(([service, one]) => [service.toLowerCase(), readPort(one, place.at('port', service))]),
    ) as ReadonlyMap<string, string | number>,
    minBackoffMs,
    maxBackoffMs: milliseconds(Math.max(30_000, minBackoffMs), minBackoffMs)(maxBackoffMs, place.at('maxBackoffMs')),
    env: env ?? process.env,
    warn: warn ?? emitLanewayWarning,
    random: random ?? Math.random,
  })
}

const readPort: Option<string | number | undefined> = (value, place) => {
  if (value === undefined || value === null) return undefined
  if (typeof value === 'string' && value !== '') return value
  if (typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= 65_535) return value
  throw place.unexpected('the name of a Service port, or a number from 1 to 65535', value)
}
