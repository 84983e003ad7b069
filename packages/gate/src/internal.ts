// For the other @laneway packages. Nothing here is public: any release may change it.

export { callApi } from './cluster/api-client.js'
export { type RolloutObject, readRollout } from './cluster/rollout.js'
export { measureHop } from './measure/measurement.js'
export { connectPrometheus, type Prometheus } from './measure/prometheus.js'
export { type ResolvedGateOptions, resolveGateOptions } from './options.js'
export { judge } from './verdict.js'
