import { AbortedError } from './upload.js'

/** The upstream's answer cannot be passed on. */
export class BadAnswer extends AbortedError {
  readonly code = 'LANEWAY_GATEWAY_BAD_ANSWER'
}

/**
 * Whether an answer that undici reports as too short is complete. undici compares the length in the head with the body,
 * also for answers that have no body: 304 may name the length of the stored answer (RFC 9110 section 8.6).
 */
export function isWhole(status: number, error: unknown): boolean {
  return (
    (status === 304 || status === 204) &&
    (Object(error) as { code?: unknown }).code === 'UND_ERR_RES_CONTENT_LENGTH_MISMATCH'
  )
}
