import { isOwnShortage } from '@laneway/core'
import type { ChoiceEnd } from '@laneway/discovery'

// https://connectrpc.com/docs/protocol/#error-codes
const CANCELED = 1
const DEADLINE_EXCEEDED = 4
const UNAVAILABLE = 14

interface Failure {
  readonly code?: unknown
  readonly syscall?: unknown
  readonly cause?: unknown
  readonly metadata?: Headers
}

/** Causes of an error that are looked at. */
const MAX_DEPTH = 5

function some(error: unknown, test: (failure: Failure) => boolean): boolean {
  let failure = error
  for (let depth = 0; depth < MAX_DEPTH && typeof failure === 'object' && failure !== null; depth++) {
    if (test(failure as Failure)) return true
    failure = (failure as Failure).cause
  }
  return false
}

/** Whether no connection could be made, so that nothing was sent. A shortage here is one at the next endpoint, too. */
export function isUnconnected(error: unknown): boolean {
  if (some(error, isOwnShortage)) return false
  return some(
    error,
    ({ syscall, code }) => syscall === 'connect' || syscall === 'getaddrinfo' || code === 'LANEWAY_FORBIDDEN_ADDRESS',
  )
}

/** How a call that failed ended, seen from the connection. */
export function endOfError(error: unknown, signal: AbortSignal | undefined): ChoiceEnd {
  if (some(error, isOwnShortage)) return 'aborted'
  if (isUnconnected(error)) return 'connect-error'
  const { code, metadata } = Object(error) as Failure
  // What came from the server has its headers.
  if (metadata !== undefined && [...metadata.keys()].length > 0) return 'ok'
  if (signal?.aborted === true || code === CANCELED) return 'aborted'
  if (code === DEADLINE_EXCEEDED) return 'timeout'
  return code === UNAVAILABLE ? 'reset' : 'ok'
}

/** Tells of the end of messages, however they are read. */
export async function* endOfMessages<T>(messages: AsyncIterable<T>, ended: () => void): AsyncIterable<T> {
  try {
    yield* messages
  } finally {
    ended()
  }
}
