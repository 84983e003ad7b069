import { isOwnShortage } from '@laneway/core/internal'
import type { ChoiceEnd } from '@laneway/discovery'
import { httpStatusOf } from '../http-status.js'

// https://connectrpc.com/docs/protocol/#error-codes
const CANCELED = 1
const UNKNOWN = 2
const DEADLINE_EXCEEDED = 4
const ABORTED = 10
const INTERNAL = 13
const UNAVAILABLE = 14

interface Failure {
  readonly code?: unknown
  readonly syscall?: unknown
  readonly cause?: unknown
  readonly message?: unknown
  readonly metadata?: Headers
}

/** Causes of an error that are looked at. */
const MAX_DEPTH = 5

/** What TLS says of a peer before anything is sent to it: https://nodejs.org/api/tls.html#x509-certificate-error-codes */
const UNVERIFIED = /^(?:ERR_TLS_CERT|ERR_SSL_WRONG_VERSION|CERT_|CRL_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|HOSTNAME_)/
const NO_HANDSHAKE = 'Client network socket disconnected before secure TLS connection'

function some(error: unknown, test: (failure: Failure) => boolean): boolean {
  let failure = error
  for (let depth = 0; depth < MAX_DEPTH && typeof failure === 'object' && failure !== null; depth++) {
    if (test(failure as Failure)) return true
    failure = (failure as Failure).cause
  }
  return false
}

function isUnconnectedOne({ syscall, code, message }: Failure): boolean {
  if (syscall === 'connect' || syscall === 'getaddrinfo' || code === 'LANEWAY_FORBIDDEN_ADDRESS') return true
  return (typeof code === 'string' && UNVERIFIED.test(code)) || String(message).startsWith(NO_HANDSHAKE)
}

/** Whether no connection could be made, so that nothing was sent. A shortage here is one at the next endpoint, too. */
export function isUnconnected(error: unknown): boolean {
  return !some(error, isOwnShortage) && some(error, isUnconnectedOne)
}

/**
 * Whether no endpoint has seen the call: no connection could be made, or an endpoint that is shutting down has refused it
 * unprocessed, see https://www.rfc-editor.org/rfc/rfc9113#section-8.7.
 */
export function isUnseen(error: unknown): boolean {
  return isUnconnected(error) || (!isOfServer(error) && /REFUSED_STREAM/.test(String(Object(error).message)))
}

/** What came from the server has its headers or trailers. */
function isOfServer(error: unknown): boolean {
  const { metadata } = Object(error) as Failure
  return metadata !== undefined && [...metadata.keys()].length > 0
}

/** How a call that failed ended, seen from the connection. */
export function endOfError(error: unknown, signal: AbortSignal | undefined): ChoiceEnd {
  if (some(error, isOwnShortage)) return 'aborted'
  if (isUnseen(error)) return 'connect-error'
  if (isOfServer(error)) return 'ok'
  if (signal?.aborted === true) return 'aborted'
  switch ((Object(error) as Failure).code) {
    case DEADLINE_EXCEEDED:
      return 'timeout'
    case UNAVAILABLE:
    case ABORTED:
    case CANCELED:
      return 'reset'
    case INTERNAL:
    case UNKNOWN:
      return isOfConnection(error) ? 'reset' : 'aborted'
    default:
      // A message that cannot be encoded, one over the limit: made here.
      return 'aborted'
  }
}

/** An error of Node's has a code that is text; a stream that was reset has none, and connect says so. */
function isOfConnection(error: unknown): boolean {
  return some(error, ({ code, message }) => typeof code === 'string' || /http\/2 stream closed/.test(String(message)))
}

/** The HTTP status for the status of a server that failed a call; 0 when no server has sent one. */
export function statusOfError(error: unknown): number {
  const { code } = Object(error) as Failure
  return isOfServer(error) && typeof code === 'number' ? httpStatusOf(code) : 0
}

/**
 * Reports once that the messages of a call have ended: all were read, or the reader stopped or aborted.
 *
 * @param signal - of the caller
 * @param ended - gets the HTTP status for that of the server; 0 when there is none
 */
export function endOfMessages<T>(
  messages: AsyncIterable<T>,
  signal: AbortSignal | undefined,
  ended: (status: number) => void,
): AsyncIterable<T> {
  let over = false
  const end = (status: number) => {
    if (over) return
    over = true
    signal?.removeEventListener('abort', abort)
    ended(status)
  }
  const abort = () => end(0)
  if (signal?.aborted === true) abort()
  else signal?.addEventListener('abort', abort)
  return readOf(messages, end)
}

async function* readOf<T>(messages: AsyncIterable<T>, ended: (status: number) => void): AsyncIterable<T> {
  // Given up unread, if neither follows.
  let status = 0
  try {
    yield* messages
    status = 200
  } catch (error) {
    status = statusOfError(error)
    throw error
  } finally {
    ended(status)
  }
}
