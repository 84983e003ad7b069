import { assertKnownKeys, assertOneOf, describe, emitLanewayWarning, LanewayError, type Warn } from '@laneway/core'
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
   *   selector of the base Service must leave the lane's pods out
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
  /** A pod unknown for this long is told of. @default 30000 */
  reportHeldAfterMs?: number
  /**
   * Everything is listed anew this often, when a watch ends anyway; 0 never.
   * @default 1800000, a net under what no test has found
   */
  relistMs?: number
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

/** {@link KubernetesSourceOptions} with defaults, checked and frozen. */
export interface ResolvedKubernetesSourceOptions {
  readonly kubeconfig: string | undefined
  readonly context: string | undefined
  readonly namespace: string | undefined
  readonly laneFrom: 'podLabels' | 'serviceLabel'
  readonly tagLabels: readonly string[]
  readonly port: string | number | undefined
  /** By service name in lower case, as the user wrote it. */
  readonly ports: ReadonlyMap<string, string | number>
  readonly addressFamily: 'IPv4' | 'IPv6' | undefined
  readonly zone: string | undefined
  readonly podSelector: string | undefined
  readonly sliceSelector: string | undefined
  readonly requestTimeoutMs: number
  readonly idleTimeoutMs: number
  readonly reportHeldAfterMs: number
  readonly relistMs: number
  readonly minBackoffMs: number
  readonly maxBackoffMs: number
  readonly coalesceMs: number
  readonly env: Readonly<Record<string, string | undefined>>
  readonly warn: Warn
  readonly random: () => number
}

const KEYS = [
  'kubeconfig',
  'context',
  'namespace',
  'laneFrom',
  'tagLabels',
  'port',
  'addressFamily',
  'zone',
  'podSelector',
  'sliceSelector',
  'requestTimeoutMs',
  'idleTimeoutMs',
  'reportHeldAfterMs',
  'relistMs',
  'minBackoffMs',
  'maxBackoffMs',
  'coalesceMs',
  'env',
  'warn',
  'random',
]

const WHERE = 'createKubernetesSource'

/** @throws LanewayError `LANEWAY_INVALID_OPTION` */
export function resolveKubernetesSourceOptions(input: KubernetesSourceOptions = {}): ResolvedKubernetesSourceOptions {
  assertKnownKeys(WHERE, input, KEYS)
  if (input.laneFrom !== undefined) assertOneOf(`${WHERE}: laneFrom`, input.laneFrom, ['podLabels', 'serviceLabel'])
  if (input.addressFamily !== undefined) assertOneOf(`${WHERE}: addressFamily`, input.addressFamily, ['IPv4', 'IPv6'])
  const perService = typeof input.port === 'object' ? Object.entries(input.port) : []
  const ports = new Map(perService.map(([service, port]) => [service.toLowerCase(), checkPort(port)]))
  const minBackoffMs = ms('minBackoffMs', input.minBackoffMs ?? 800, 1)
  return Object.freeze({
    kubeconfig: input.kubeconfig,
    context: input.context,
    namespace: input.namespace,
    laneFrom: input.laneFrom ?? 'podLabels',
    tagLabels: Object.freeze([...(input.tagLabels ?? [])]),
    port: input.port === undefined || typeof input.port === 'object' ? undefined : checkPort(input.port),
    ports,
    addressFamily: input.addressFamily,
    zone: input.zone ?? readOwnZone('/etc/podinfo/labels'),
    podSelector: input.podSelector,
    sliceSelector: input.sliceSelector,
    requestTimeoutMs: ms('requestTimeoutMs', input.requestTimeoutMs ?? 10_000, 1),
    idleTimeoutMs: ms('idleTimeoutMs', input.idleTimeoutMs ?? 90_000, 1),
    reportHeldAfterMs: ms('reportHeldAfterMs', input.reportHeldAfterMs ?? 30_000, 1),
    relistMs: ms('relistMs', input.relistMs ?? 1_800_000, 0),
    minBackoffMs,
    maxBackoffMs: ms('maxBackoffMs', input.maxBackoffMs ?? Math.max(30_000, minBackoffMs), minBackoffMs),
    coalesceMs: ms('coalesceMs', input.coalesceMs ?? 50, 0),
    env: input.env ?? process.env,
    warn: input.warn ?? emitLanewayWarning,
    random: input.random ?? Math.random,
  })
}

function ms(name: string, value: number, least: number): number {
  if (!(value >= least && value <= 2 ** 31 - 1)) {
    throw new LanewayError(
      'LANEWAY_INVALID_OPTION',
      `${WHERE}: ${name} must be a number of milliseconds from ${least}, received ${describe(value)}`,
    )
  }
  return value
}

function checkPort(port: unknown): string | number {
  if (typeof port === 'string' && port !== '') return port
  if (typeof port === 'number' && Number.isInteger(port) && port >= 1 && port <= 65535) return port
  throw new LanewayError(
    'LANEWAY_INVALID_OPTION',
    `${WHERE}: port must be the name of a Service port or a number from 1 to 65535, received ${describe(port)}`,
  )
}
