import { GateError } from './gate-error.js'
import { checkHops, type Hop, parseHops } from './measure/hop.js'

/** Options of `runGate`; the command has the same in `--kebab-case`. */
export interface GateOptions {
  /** The services that the lane crosses, from the entrance to the last hop: `shop-a=rollout-a,shop-b,shop-c=rollout-c`, or a list. */
  hops: string | readonly Hop[]
  /** The lane, e.g. `gray`. */
  lane: string
  /** URL of Prometheus, with user and password where it asks for them. */
  prometheus: string
  /** Namespace of the Rollouts. @default that of the context, else `POD_NAMESPACE`, else that of the pod */
  namespace?: string
  /** A kubeconfig file. @default `KUBECONFIG`, else the pod's service account, else `~/.kube/config` */
  kubeconfig?: string
  /** Context of the kubeconfig. @default its current-context */
  context?: string
  /** What to do when the lane is worse than base. @default 'hold': an exit code and events; a person decides */
  onFail?: 'hold' | 'rollback'
  /** Judge once, say what the gate would do, and change nothing. @default false */
  dryRun?: boolean
  /** Requests of the lane that each service must have served since the pause. @default 100 */
  minRequests?: number
  /** Requests of base to compare with. @default as minRequests */
  minBaseRequests?: number
  /** How far the error ratio of the lane may be above that of base, 0..1. @default 0.01 */
  maxErrorExcess?: number
  /** Which quantile of the latency is compared, 0..1. @default 0.95 */
  latencyQuantile?: number
  /** Latency of the lane divided by that of base, at most. @default 1.5 */
  maxLatencyRatio?: number
  /** A smaller difference of latency is never bad, because histogram buckets are coarse. @default 50 */
  latencySlackMs?: number
  /** Length of the window, which begins at the pause or later. @default 300 */
  windowSeconds?: number
  /** Age of the newest sample, at most; older data is not judged. @default 60 */
  maxAgeSeconds?: number
  /** Time between two judgements. @default 15 */
  intervalSeconds?: number
  /** Good judgements in a row before the gate approves. @default 3 */
  rounds?: number
  /** Bad judgements in a row before the gate holds or rolls back. @default 2 */
  badRounds?: number
  /** How long the gate waits for a decision at one pause; 0: no limit. @default 3600 */
  timeoutSeconds?: number
  /** How long an approved Rollout may take until its next pause or its end. @default 1800 */
  settleSeconds?: number
  /** Histogram in seconds, without `_count` and `_bucket`. @default 'laneway_server_request_duration_seconds' */
  metric?: string
  /** Label that names the service. @default 'job' */
  serviceLabel?: string
  /** Label with the lane of the request. @default 'laneway_lane' */
  laneLabel?: string
  /** Label with the lane of the instance that served the request. @default 'laneway_instance_lane' */
  instanceLabel?: string
  /** Value of both lane labels for base. @default 'base' */
  baseValue?: string
  /** Label with the HTTP status; 5xx is an error. @default 'http_response_status_code' */
  statusLabel?: string
  /** More field managers that belong to GitOps controllers. @default none */
  gitopsManagers?: readonly string[]
}

/** {@link GateOptions} with defaults, checked and frozen. */
export type ResolvedGateOptions = Readonly<
  Required<Omit<GateOptions, 'hops' | 'namespace' | 'kubeconfig' | 'context'>> & {
    hops: readonly Hop[]
    namespace: string | undefined
    kubeconfig: string | undefined
    context: string | undefined
  }
>

const KEYS = [
  ...['hops', 'lane', 'prometheus', 'namespace', 'kubeconfig', 'context', 'onFail', 'dryRun', 'minRequests'],
  ...['minBaseRequests', 'maxErrorExcess', 'latencyQuantile', 'maxLatencyRatio', 'latencySlackMs', 'windowSeconds'],
  ...['maxAgeSeconds', 'intervalSeconds', 'rounds', 'badRounds', 'timeoutSeconds', 'settleSeconds', 'metric'],
  ...['serviceLabel', 'laneLabel', 'instanceLabel', 'baseValue', 'statusLabel', 'gitopsManagers'],
]

// The grammar of a lane tag, which is that of a Kubernetes label value.
const TAG = /^[A-Za-z0-9](?:[A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$/
const METRIC = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/
const LABEL = /^[a-zA-Z_][a-zA-Z0-9_]*$/

/** @throws GateError `LANEWAY_GATE_INVALID_OPTION` */
export function resolveGateOptions(input: GateOptions): ResolvedGateOptions {
  for (const key of Object.keys(input)) if (!KEYS.includes(key)) throw invalid(key, `one of ${KEYS.join(', ')}`, key)
  const minRequests = atLeast('minRequests', input.minRequests ?? 100, 1)
  return Object.freeze({
    hops: typeof input.hops === 'string' ? parseHops(input.hops) : checkHops(input.hops ?? []),
    lane: matching('lane', input.lane, TAG, 'a lane tag'),
    prometheus: url(input.prometheus),
    namespace: input.namespace,
    kubeconfig: input.kubeconfig,
    context: input.context,
    onFail: oneOf('onFail', input.onFail ?? 'hold', ['hold', 'rollback'] as const),
    dryRun: input.dryRun ?? false,
    minRequests,
    minBaseRequests: atLeast('minBaseRequests', input.minBaseRequests ?? minRequests, 1),
    maxErrorExcess: between('maxErrorExcess', input.maxErrorExcess ?? 0.01, 0, 1),
    latencyQuantile: between('latencyQuantile', input.latencyQuantile ?? 0.95, 0.01, 0.999),
    maxLatencyRatio: atLeast('maxLatencyRatio', input.maxLatencyRatio ?? 1.5, 1),
    latencySlackMs: atLeast('latencySlackMs', input.latencySlackMs ?? 50, 0),
    windowSeconds: atLeast('windowSeconds', input.windowSeconds ?? 300, 1),
    maxAgeSeconds: atLeast('maxAgeSeconds', input.maxAgeSeconds ?? 60, 1),
    intervalSeconds: atLeast('intervalSeconds', input.intervalSeconds ?? 15, 0.01),
    rounds: atLeast('rounds', input.rounds ?? 3, 1),
    badRounds: atLeast('badRounds', input.badRounds ?? 2, 1),
    timeoutSeconds: atLeast('timeoutSeconds', input.timeoutSeconds ?? 3_600, 0),
    settleSeconds: atLeast('settleSeconds', input.settleSeconds ?? 1_800, 0.1),
    metric: matching('metric', input.metric ?? 'laneway_server_request_duration_seconds', METRIC, 'a metric name'),
    serviceLabel: matching('serviceLabel', input.serviceLabel ?? 'job', LABEL, 'a label name'),
    laneLabel: matching('laneLabel', input.laneLabel ?? 'laneway_lane', LABEL, 'a label name'),
    instanceLabel: matching('instanceLabel', input.instanceLabel ?? 'laneway_instance_lane', LABEL, 'a label name'),
    baseValue: input.baseValue ?? 'base',
    statusLabel: matching('statusLabel', input.statusLabel ?? 'http_response_status_code', LABEL, 'a label name'),
    gitopsManagers: Object.freeze([...(input.gitopsManagers ?? [])]),
  })
}

function atLeast(name: string, value: number, least: number): number {
  if (!(value >= least && value < Number.POSITIVE_INFINITY)) throw invalid(name, `a number from ${least}`, value)
  return value
}

function between(name: string, value: number, least: number, most: number): number {
  if (!(value >= least && value <= most)) throw invalid(name, `a number from ${least} to ${most}`, value)
  return value
}

function matching(name: string, value: string, pattern: RegExp, what: string): string {
  if (typeof value !== 'string' || !pattern.test(value)) throw invalid(name, what, value)
  return value
}

function oneOf<T extends string>(name: string, value: T, allowed: readonly T[]): T {
  if (!allowed.includes(value)) throw invalid(name, `one of ${allowed.join(', ')}`, value)
  return value
}

function url(value: string): string {
  if (typeof value !== 'string' || !/^https?:/.test(value) || !URL.canParse(value)) {
    throw invalid('prometheus', 'an http(s) URL', withoutUserInfo(value))
  }
  const { username, password } = new URL(value)
  if (!isEscaped(username) || !isEscaped(password)) {
    throw invalid('prometheus', 'a URL whose user and password are percent-encoded', withoutUserInfo(value))
  }
  return value
}

function isEscaped(text: string): boolean {
  try {
    decodeURIComponent(text)
    return true
  } catch {
    return false
  }
}

/** Keeps the password of a URL out of logs: removes all before the last `@`, also in a text that is no URL. */
function withoutUserInfo(value: unknown): unknown {
  return typeof value === 'string' && value.includes('@') ? `***${value.slice(value.lastIndexOf('@'))}` : value
}

function invalid(name: string, what: string, value: unknown): GateError {
  return new GateError(
    'LANEWAY_GATE_INVALID_OPTION',
    `${name} must be ${what}, received ${JSON.stringify(value) ?? value}`,
  )
}
