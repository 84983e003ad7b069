import { LanewayError } from '@laneway/core'

/** An answer of the API server that is not the wanted one. */
export class ApiError extends Error {
  /** HTTP status, or the `code` of a `Status` object inside a watch. */
  readonly status: number

  constructor(status: number, message: string) {
    super(message)
    this.name = 'ApiError'
    this.status = status
  }
}

/** Reads a `Status` object; the API server puts the reason of a refusal in its `message`. */
export function statusError(status: number, body: unknown, what: string): ApiError {
  const { code, message } = (typeof body === 'object' && body !== null ? body : {}) as {
    code?: unknown
    message?: unknown
  }
  const number = typeof code === 'number' ? code : status
  return new ApiError(number, `${what}: ${number}${typeof message === 'string' ? ` ${message}` : ''}`)
}

/** The version asked for has left the server's history (410): only a new list helps. */
export function isExpired(error: unknown): boolean {
  return error instanceof ApiError && error.status === 410
}

/** Credentials or rights are missing: trying again soon will not help. */
export function isRefused(error: unknown): boolean {
  return error instanceof ApiError && (error.status === 401 || error.status === 403)
}

/** What a user is told: which verb on which resource is missing, and `hint`, the other way. */
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
