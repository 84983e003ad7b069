/** Every code of this package; compare `error.code`. */
export const GATE_ERRORS = {
  LANEWAY_GATE_CLUSTER: 'The cluster does not answer, or not as expected.',
  LANEWAY_GATE_INVALID_OPTION: 'An option has a value outside its range, or an unknown name.',
  LANEWAY_GATE_METRICS: 'Prometheus does not answer, or with something that must not be believed.',
  LANEWAY_GATE_NOT_TAKEN: 'The controller has not acted on an approval or a rollback.',
  LANEWAY_GATE_ROLLBACK_REFUSED: 'The stable template cannot or must not be restored from here.',
} as const

/** Stable identifier of an error; the values of {@link GATE_ERRORS} explain them. */
export type GateErrorCode = keyof typeof GATE_ERRORS

/** The error class of the gate. */
export class GateError extends Error {
  readonly code: GateErrorCode

  constructor(code: GateErrorCode, message: string, options?: { cause?: unknown }) {
    super(`${code}: ${message}`, options)
    this.name = 'GateError'
    this.code = code
  }
}
