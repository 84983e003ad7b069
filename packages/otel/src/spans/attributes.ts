/** The lane of a span, log record or measurement; under our own name, because OpenTelemetry's namespaces are its own. */
export const LANE_ATTRIBUTE = 'laneway.lane'
/** The tag whose endpoints served a hop; `base` for base, `none` when nothing was chosen. */
export const SERVED_ATTRIBUTE = 'laneway.served'
/** How the pick ended, see `Outcome` of `@laneway/discovery`; of a message `MessageOutcome` of `@laneway/core`. */
export const OUTCOME_ATTRIBUTE = 'laneway.outcome'
/** The lane that the instance belongs to. */
export const INSTANCE_LANE_ATTRIBUTE = 'laneway.instance_lane'
