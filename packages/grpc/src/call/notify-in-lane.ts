import { type Lane, runInLane } from '@laneway/core'
import { contextNow } from '@laneway/core/internal'
import type { GrpcListener, GrpcMetadata, GrpcStatus } from '../grpc-js.js'

/** Calls a listener in the lane of the code that made the call. The connection may have been opened in another lane. */
export function notifyInLane<A>(
  lane: Lane | undefined,
  listener: GrpcListener,
  notify: (listener: GrpcListener, what: A) => void,
  what: A,
): void {
  if (contextNow() === lane) notify(listener, what)
  else runInLane(lane, notify, listener, what)
}

export function notifyMetadata(listener: GrpcListener, metadata: GrpcMetadata): void {
  listener.onReceiveMetadata(metadata)
}

export function notifyMessage(listener: GrpcListener, message: unknown): void {
  listener.onReceiveMessage(message)
}

export function notifyStatus(listener: GrpcListener, status: GrpcStatus): void {
  listener.onReceiveStatus(status)
}
