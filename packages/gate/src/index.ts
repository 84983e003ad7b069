// For users

export { type GateHooks, runGate } from './gate.js'
export { GATE_ERRORS, GateError, type GateErrorCode } from './gate-error.js'
export type { GateOutcome, GateResult } from './gate-result.js'
export type { HopMeasurement, TrafficMeasurement } from './measure/measurement.js'
export type { GateOptions } from './options.js'
export type { HopVerdict, Judgement, Verdict } from './verdict.js'

// For the other @laneway packages
