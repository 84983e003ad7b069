// For users

export { laneOf } from './context/lane-context.js'
export { LanePropagator, type LanePropagatorOptions } from './context/lane-propagator.js'
export { createOtelLaneStorage, type OtelLaneStorageOptions, useOtelContext } from './context/lane-storage.js'
export {
  MAX_LANE_LABELS,
  type ObservedCount,
  type ObservedResolver,
  type ObservedService,
  OTHER_LANE,
} from './metrics/lane-labels.js'
export { type LaneMetricsOptions, startLaneMetrics } from './metrics/lane-metrics.js'
export { INSTANCE_LANE_ATTRIBUTE, LANE_ATTRIBUTE, OUTCOME_ATTRIBUTE, SERVED_ATTRIBUTE } from './spans/attributes.js'
export { createLaneHooks, type LaneHooks, type LaneHooksOptions } from './spans/lane-hooks.js'
export { LaneLogRecordProcessor, LaneSpanProcessor, laneResourceAttributes } from './spans/lane-processors.js'
