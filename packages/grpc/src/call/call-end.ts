import type { ChoiceEnd } from '@laneway/discovery'
import { CANCELLED, DEADLINE_EXCEEDED, type GrpcStatus, INTERNAL, UNAVAILABLE, UNKNOWN } from '../grpc-js.js'
import { httpStatusOf } from '../http-status.js'

/** What is known about a call when its status arrives. */
export interface CallProgress {
  /** Metadata or a message of the endpoint has arrived. */
  readonly responded: boolean
  /** The caller has cancelled it. */
  readonly cancelled: boolean
  /** The endpoint has had the whole time of the caller, and the whole request. */
  readonly hadAllTime: boolean
}

/** How grpc-js and this package end a call whose parent is cancelled. */
export const CANCELLED_BY_PARENT = 'Cancelled by parent call'

/** How a call ended, seen from the connection. */
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
      // A message over the limit, credentials that cannot be had: made here.
      return 'aborted'
  }
}

/** The HTTP status for the status of a call; 0 when no server has sent it. */
export function responseStatus(status: GrpcStatus): number {
  return isOfServer(status) ? httpStatusOf(status.code) : 0
}

/** A status that came over the wire has its headers for metadata, `content-type` at least; one made here has none. */
function isOfServer({ metadata }: GrpcStatus): boolean {
  for (const _ in metadata.getMap()) return true
  return false
}

/**
 * What grpc-js ends a call with that it has sent to nobody, or that its endpoint has refused unseen: there was no connection,
 * or the endpoint has left.
 */
const NOTHING_SENT = ['No connection established', 'Channel closed before call started']

/** Whether nobody has seen the call, so that another endpoint may answer it. */
export function isUnsent(status: GrpcStatus): boolean {
  const { code, details } = status
  return code === UNAVAILABLE && NOTHING_SENT.some(text => details.startsWith(text)) && !isOfServer(status)
}
