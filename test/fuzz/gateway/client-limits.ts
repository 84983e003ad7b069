/**
 * How long the attacked gateway waits for a client. Longer than this process sleeps when the machine is busy, and short
 * enough that what a client left open is gone before the fuzz counts what is left.
 */
export const CLIENT_LIMITS = {
  headersTimeoutMs: 5000,
  handshakeTimeoutMs: 5000,
  keepAliveMs: 5000,
  stallTimeoutMs: 3000,
}

/** A client that is slower than this may be cut off by one of the limits. */
export const SLOW_MS = Math.min(...Object.values(CLIENT_LIMITS))
