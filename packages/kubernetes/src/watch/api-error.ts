import { LanewayError } from '@laneway/core'

/** An answer of the API server other than success. */
export class ApiError extends Error {
  /** HTTP status, or the `code` of a `Status` object inside a watch. */
  readonly status: number
  /** How long the server asks to wait before the next attempt; `undefined` when it does not say. */
  readonly retryAfterMs: number | undefined

  constructor(status: number, message: string, retryAfterMs?: number) {
    super(message)
    this.name = 'ApiError'
    this.status = status
    this.retryAfterMs = retryAfterMs
  }
}

/** Longer waits are cut: a process must not be silent for hours because of one answer. */
const MAX_RETRY_AFTER_MS = 300_000

/**
 * Reads a `Status` object; the API server puts the reason of a refusal in its `message`.
 *
 * @param retryAfter - the header `Retry-After`; inside a watch the object has it
 */
export function statusError(status: number, body: unknown, what: string, retryAfter?: string): ApiError {
  const { code, message, details } = (typeof body === 'object' && body !== null ? body : {}) as {
    code?: unknown
    message?: unknown
    details?: { retryAfterSeconds?: unknown } | null
  }
  const number = typeof code === 'number' ? code : status
  return new ApiError(
    number,
    `${what}: ${number}${typeof message === 'string' ? ` ${message}` : ''}`,
    waitOf(retryAfter ?? details?.retryAfterSeconds),
  )
}

/** RFC 9110 section 10.2.3: seconds, or a date. */
function waitOf(retryAfter: unknown): number | undefined {
  if (typeof retryAfter !== 'string' && typeof retryAfter !== 'number') return undefined
  const text = String(retryAfter)
  const ms = /^\d+$/.test(text) ? Number(text) * 1000 : Date.parse(text) - Date.now()
  return ms > 0 ? Math.min(ms, MAX_RETRY_AFTER_MS) : undefined
}

/** The server has too much to do. It can be reached, and what was read from it still holds. */
export function isThrottled(error: unknown): error is ApiError {
  return error instanceof ApiError && error.status === 429
}

/** The version asked for has left the server's history (410): only a new list helps. */
export function isExpired(error: unknown): boolean {
  return error instanceof ApiError && error.status === 410
}

/**
 * The server has not reached the version asked for, and will not in time: it was restored from a backup, or the version is
 * another cluster's.
 * @see https://kubernetes.io/docs/reference/using-api/api-concepts/#unavailable-resource-versions
 */
export function isTooLarge(error: unknown): boolean {
  return error instanceof ApiError && error.status === 504 && /too large resource version/i.test(error.message)
}

/** The server does not know a parameter of the request, or has it switched off. */
export function isUnsupported(error: unknown): boolean {
  return error instanceof ApiError && (error.status === 400 || error.status === 422)
}

/** Credentials or rights are missing: trying again soon will not help. */
export function isRefused(error: unknown): boolean {
  return error instanceof ApiError && (error.status === 401 || error.status === 403)
}

/** The error for the user. It names the missing verb and resource, and `hint`, the other way. */
export function sourceError(
  error: unknown,
  verb: string,
  resource: string,
  namespace: string,
  hint: string,
): LanewayError {
  const reason = error instanceof Error ? error.message : String(error)
  if (error instanceof ApiError && error.status === 403) {
    return new LanewayError(
      'LANEWAY_AUTH',
      `not allowed to ${verb} ${resource} in namespace ${namespace}; grant the verbs list and watch on ${resource}${hint} (${reason})`,
      { cause: error },
    )
  }
  if (error instanceof ApiError && error.status === 401) {
    return new LanewayError('LANEWAY_AUTH', `the API server does not accept the credentials (${reason})`, {
      cause: error,
    })
  }
  return new LanewayError('LANEWAY_SOURCE', `cannot ${verb} ${resource} in namespace ${namespace}: ${reason}`, {
    cause: error,
  })
}
