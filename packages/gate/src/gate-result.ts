import type { Judgement } from './verdict.js'

/** How a run ended. */
export type GateOutcome =
  /** Every Rollout went through its last step; in a dry run: it would have been approved. */
  | 'approved'
  /** The lane is worse than base, or something else stands in the way: a person must look. */
  | 'held'
  | 'rolled-back'
  /** Nothing could be said in time. */
  | 'timeout'

/** The end of a run. */
export interface GateResult {
  readonly outcome: GateOutcome
  /** Why, in one line. */
  readonly reason: string
  /** The last judgement, if there was one. */
  readonly judgement: Judgement | undefined
}
