import { isOwnShortage } from '@laneway/core/internal'

/** Codes of undici that blame the request, the dispatcher or the caller, and not an endpoint. */
const NOT_THE_ENDPOINT = new Set([
  'UND_ERR_ABORTED',
  'UND_ERR_CLOSED',
  'UND_ERR_DESTROYED',
  'UND_ERR_INFO',
  'UND_ERR_INVALID_ARG',
  'UND_ERR_INVALID_RETURN_VALUE',
  'UND_ERR_MAX_ORIGINS_REACHED',
  'UND_ERR_NOT_SUPPORTED',
  'UND_ERR_REQ_CONTENT_LENGTH_MISMATCH',
  'ABORT_ERR',
])

/** Whether a request that was never written failed because no connection could be made, with its body still whole. */
export function isConnectFailure(error: unknown, body: unknown): boolean {
  return !isRequestsOwn(error, body) && !wasRead(body)
}

/** Whether a request that was written lost its connection, or timed out, before the first byte of a response. */
export function isResponseLost(error: unknown, body: unknown): boolean {
  return !isRequestsOwn(error, body)
}

/** Whether undici waited for the head of a response until `headersTimeout`. */
export function isHeadersTimeout(error: unknown): boolean {
  return (Object(error) as { code?: unknown }).code === 'UND_ERR_HEADERS_TIMEOUT'
}

/** Whether the caller aborted because its time was over, as `AbortSignal.timeout()` does. */
export function isTimeout(error: unknown): boolean {
  return (Object(error) as { name?: unknown }).name === 'TimeoutError'
}

function isRequestsOwn(error: unknown, body: unknown): boolean {
  const { code, name } = Object(error) as { code?: unknown; name?: unknown }
  if (name === 'AbortError' || (typeof code === 'string' && NOT_THE_ENDPOINT.has(code))) return true
  if (isOwnShortage(error)) return true
  // A body that fails ends its request with its own error.
  return typeof body === 'object' && body !== null && (body as { errored?: unknown }).errored === error && !!error
}

function wasRead(body: unknown): boolean {
  if (typeof body !== 'object' || body === null) return false
  const stream = body as { destroyed?: boolean; readableDidRead?: boolean; locked?: boolean }
  return stream.destroyed === true || stream.readableDidRead === true
}
