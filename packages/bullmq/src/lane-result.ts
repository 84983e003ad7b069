/**
 * How the processor of a lane ended, as the value of the child job: the original job completes, fails or is retried by
 * it, so that attempts, back-off and reasons are those of the original.
 */
export type LaneResult =
  | { readonly value: unknown }
  | { readonly error: { readonly name: string; readonly message: string; readonly stack?: string | undefined } }
  /** The processor waits for children that it gave to the original job. */
  | { readonly waits: true }

/** What a processor throws to be called again: BullMQ handles them where the processor ran. */
const CONTROL = new Set(['DelayedError', 'WaitingError', 'RateLimitError'])
/** The message of `Worker.RateLimitError()`, which has no name of its own in some versions. */
const RATE_LIMITED = 'bullmq:rateLimitExceeded'

/** Whether an error asks BullMQ to run the job later rather than to fail it. */
export function isControl(error: unknown): boolean {
  const { name, message } = Object(error) as Partial<Error>
  return CONTROL.has(String(name)) || message === RATE_LIMITED
}

export function resultOfError(error: unknown): LaneResult {
  if (!(error instanceof Error)) return { error: { name: 'Error', message: String(error) } }
  const { name, message, stack } = error
  return { error: { name, message, stack } }
}

/** Throws what the lane's processor threw, or returns what it returned. */
export function settle(result: LaneResult): unknown {
  if (!('error' in result)) return 'value' in result ? result.value : undefined
  const { name, message, stack } = result.error
  const error = new Error(message)
  if (stack !== undefined) error.stack = stack
  // BullMQ knows UnrecoverableError by its name.
  error.name = name
  throw error
}

/** The child itself failed, without its processor: it stalled too often. BullMQ does not retry such a job either. */
export function failedChild(reason: string): Error {
  const error = new Error(reason)
  error.name = 'UnrecoverableError'
  return error
}
