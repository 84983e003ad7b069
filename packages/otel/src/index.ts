// For users
export { INSTANCE_LANE_ATTRIBUTE, LANE_ATTRIBUTE, OUTCOME_ATTRIBUTE, SERVED_ATTRIBUTE } from './attributes.js'
export { laneOf } from './lane-context.js'
export { createLaneHooks, type LaneHooks, type LaneHooksOptions } from './lane-hooks.js'
export {
  MAX_LANE_LABELS,
  type ObservedCount,
  type ObservedResolver,
  type ObservedService,
  OTHER_LANE,
} from './lane-labels.js'
export { type LaneMetricsOptions, startLaneMetrics } from './lane-metrics.js'
export { LaneLogRecordProcessor, LaneSpanProcessor, laneResourceAttributes } from './lane-processors.js'
export { LanePropagator, type LanePropagatorOptions } from './lane-propagator.js'
export { createOtelLaneStorage, type OtelLaneStorageOptions, useOtelContext } from './lane-storage.js'
