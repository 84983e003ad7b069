import type { ChoiceEnd } from '@laneway/discovery'
import {
  CANCELLED,
  DEADLINE_EXCEEDED,
  type GrpcMetadata,
  type GrpcStatus,
  INTERNAL,
  UNAVAILABLE,
  UNKNOWN,
} from '../grpc-js.js'
import { httpStatusOf } from '../http-status.js'

/** What is known about a call when its status arrives. */
export interface CallProgress {
  /** Metadata or a message of the endpoint has arrived. */
  readonly responded: boolean
  /** The caller has cancelled it. */
  readonly cancelled: boolean
  /** The endpoint had the whole deadline of the caller, and the whole request. */
  readonly hadAllTime: boolean
}

/** The details of the status when the parent of a call is cancelled, in grpc-js and in this package. */
export const CANCELLED_BY_PARENT = 'Cancelled by parent call'

/** How a call ended, for the resolver: what counts is whether the endpoint answered. */
export function endOf(status: GrpcStatus, { responded, cancelled, hadAllTime }: CallProgress): ChoiceEnd {
  if (responded || isOfServer(status)) return 'ok'
  if (cancelled || status.details === CANCELLED_BY_PARENT) return 'aborted'
  switch (status.code) {
    case DEADLINE_EXCEEDED:
      return hadAllTime ? 'timeout' : 'aborted'
    case UNAVAILABLE:
    case INTERNAL:
    case UNKNOWN:
    case CANCELLED:
      return 'reset'
    default:
      // grpc-js made this status in the client: a message over the limit, credentials that cannot be fetched.
      return 'aborted'
  }
}

/** The HTTP status for the status of a call; 0 when no server has sent it. */
export function responseStatus(status: GrpcStatus): number {
  return isOfServer(status) ? httpStatusOf(status.code) : 0
}

/** Set by grpc-js in what it receives for a call that it has repeated, also when no server has answered. */
const PREVIOUS_ATTEMPTS = 'grpc-previous-rpc-attempts'

/** How often grpc-js had sent a call before the attempt that this metadata is of, as far as a policy can have said. */
export function previousAttempts(metadata: GrpcMetadata): number {
  const text = String(metadata.get(PREVIOUS_ATTEMPTS)[0])
  return /^[1-9]\d?$/.test(text) ? Number(text) : 0
}

/** A status from the server has headers in its metadata, at least `content-type`; one that the client made has none. */
function isOfServer({ metadata }: GrpcStatus): boolean {
  for (const name in metadata.getMap()) if (name !== PREVIOUS_ATTEMPTS) return true
  return false
}

/**
 * The details of the status when grpc-js has not sent a call: there was no connection, or the channel was closed. The same when
 * the endpoint refused it unprocessed.
 */
const NOTHING_SENT = ['No connection established', 'Channel closed before call started']

/** Whether no endpoint has seen the call, so that another endpoint may answer it. */
export function isUnsent(status: GrpcStatus): boolean {
  const { code, details } = status
  return code === UNAVAILABLE && NOTHING_SENT.some(text => details.startsWith(text)) && !isOfServer(status)
}
