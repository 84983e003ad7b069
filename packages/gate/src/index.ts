// For users

export { type GateHooks, type GateOutcome, type GateResult, runGate } from './gate.js'
export { GATE_ERRORS, GateError, type GateErrorCode } from './gate-error.js'
export type { HopMeasurement, TrafficMeasurement } from './measurement.js'
export type { GateOptions } from './options.js'
export type { HopVerdict, Judgement, Verdict } from './verdict.js'

// For the other @laneway packages
