import {
  milliseconds,
  numeric,
  type Option,
  type OptionTable,
  optional,
  readOptions,
  whole,
} from '@laneway/core/internal'
import { type OutlierOptions, outlier } from '../table/outlier-options.js'
import type { ReconnectBudgetOptions } from './reconnect-budget.js'
import type { BalanceSettings } from './service-balance.js'

/** Options of `createLaneResolver` about load and health, within the endpoints of base or of one lane. */
export interface BalanceOptions {
  /** Ejection of endpoints that refuse connections or do not answer in time; `false` turns it off. @default on, see OutlierOptions */
  readonly outlier?: OutlierOptions | false
  /**
   * Below this share of usable endpoints, base or a lane ignores health: all its enabled endpoints serve, and the outcome is
   * `panic`. A lane of which no endpoint is usable still follows `whenLaneUnavailable`. 0 to 1.
   * @default 0: an unhealthy endpoint gets no request while a healthy one is there, as with Nacos (`protectThreshold` 0) and
   * kube-proxy. Envoy has 0.5; but pods that are still starting are unhealthy, too, and would get most of the requests while
   * a Deployment scales from 2 to 10
   */
  readonly panicThreshold?: number
  /**
   * How long the weight of a new endpoint grows until it is the whole, in milliseconds: from its `registeredAt`, or since the
   * resolver saw it come, or come back from being unhealthy or disabled. 0: it gets its whole share at once.
   * @default 0, because only some applications start cold
   */
  readonly slowStartMs?: number
  /**
   * The curve: the weight is multiplied by `(time passed / slowStartMs) ^ (1 / slowStartAggression)`, as in Envoy. The
   * curve 2 of MSE is 0.5 here. 0.01 to 100.
   * @default 1, a straight line
   */
  readonly slowStartAggression?: number
  /** The share of its weight that a new endpoint gets at least, above 0 to 1. @default 0.1, as Envoy's */
  readonly slowStartMinShare?: number
  /**
   * Requests that this process has in flight at one endpoint at most. Others get the next ones; when all that could serve are
   * full, a request fails with `LANEWAY_OVERLOADED`. It never leaves its lane for that.
   * @default no limit
   */
  readonly maxInFlight?: number
  /**
   * How many endpoints of base, and of each lane, this process sends requests to, and so opens connections to. Which ones is
   * by chance, and stays as it is; where one is not usable, another takes its place. Where all of them are full or were
   * tried, the others serve. 1 to 100,000.
   * @default no limit. A service with hundreds of endpoints and many callers wants 20 or more: with fewer, chance gives some
   * endpoints far more callers than others
   */
  readonly subsetSize?: number
  /**
   * How many requests whose connection failed may go to another endpoint; `false` for any number. The others fail with the
   * error of their connection.
   * @default on, see ReconnectBudgetOptions
   */
  readonly reconnectBudget?: ReconnectBudgetOptions | false
}

/** The options with every default in its place, as services need them. */
export type ResolvedBalanceOptions = Pick<
  BalanceSettings,
  'outlier' | 'panicThreshold' | 'warmUp' | 'maxInFlight' | 'subsetSize' | 'reconnectBudget'
>

const BUDGET = {
  share: numeric(0.2, 0, 1),
  perSecond: numeric(100, 0, 1e6),
} satisfies OptionTable<ReconnectBudgetOptions>

const reconnectBudget: Option<Required<ReconnectBudgetOptions> | undefined> = (value, place) =>
  value === false ? undefined : readOptions(place, value ?? {}, BUDGET)

/** How each of the options is read. */
export const BALANCE_OPTIONS = {
  outlier,
  panicThreshold: numeric(0, 0, 1),
  slowStartMs: milliseconds(0),
  slowStartAggression: numeric(1, 0.01, 100),
  slowStartMinShare: numeric(0.1, 0.0001, 1),
  maxInFlight: optional(whole(undefined, 1, 1e6)),
  subsetSize: optional(whole(undefined, 1, 100_000)),
  reconnectBudget,
} satisfies OptionTable<BalanceOptions>

/** @param read - the options, each checked by itself */
export function toBalance(
  read: {
    readonly [K in keyof typeof BALANCE_OPTIONS]: ReturnType<(typeof BALANCE_OPTIONS)[K]>
  },
): ResolvedBalanceOptions {
  const { outlier, panicThreshold, slowStartMs, slowStartAggression, slowStartMinShare, ...limits } = read
  return {
    outlier,
    panicThreshold,
    warmUp: slowStartMs === 0 ? undefined : { slowStartMs, slowStartAggression, slowStartMinShare },
    maxInFlight: limits.maxInFlight,
    subsetSize: limits.subsetSize,
    reconnectBudget: limits.reconnectBudget,
  }
}
