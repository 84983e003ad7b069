import { AbortedError } from './upload.js'

/** The upstream answered with what no client can be told. */
export class BadAnswer extends AbortedError {
  readonly code = 'LANEWAY_GATEWAY_BAD_ANSWER'
}

/**
 * undici compares the length that an answer names with what came, also where there is no body by definition: 304 may
 * name the length of what it stands for (RFC 9110 section 8.6).
 */
export function isWhole(status: number, error: unknown): boolean {
  return (
    (status === 304 || status === 204) &&
    (Object(error) as { code?: unknown }).code === 'UND_ERR_RES_CONTENT_LENGTH_MISMATCH'
  )
}
