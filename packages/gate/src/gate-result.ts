import type { Judgement } from './verdict.js'

/** How a run ended. */
export type GateOutcome =
  /** Every Rollout has passed its last step; in a dry run: the gate would have approved. */
  | 'approved'
  /** The lane is worse than base, or something prevents an approval: a person must decide. */
  | 'held'
  | 'rolled-back'
  /** The gate could not decide in time. */
  | 'timeout'

/** The end of a run. */
export interface GateResult {
  readonly outcome: GateOutcome
  /** Why, in one line. */
  readonly reason: string
  /** The last judgement, if there was one. */
  readonly judgement: Judgement | undefined
}
