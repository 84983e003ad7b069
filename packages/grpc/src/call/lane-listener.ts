import { currentLane, type Lane, runInLane } from '@laneway/core'
import type { GrpcListener, GrpcMetadata, GrpcStatus } from '../grpc-js.js'

/** Tells a listener something in the lane of the code that made the call, whoever opened the connection. */
export function tellInLane<A>(
  lane: Lane | undefined,
  listener: GrpcListener,
  tell: (listener: GrpcListener, what: A) => void,
  what: A,
): void {
  if (currentLane() === lane) tell(listener, what)
  else runInLane(lane, tell, listener, what)
}

export function tellMetadata(listener: GrpcListener, metadata: GrpcMetadata): void {
  listener.onReceiveMetadata(metadata)
}

export function tellMessage(listener: GrpcListener, message: unknown): void {
  listener.onReceiveMessage(message)
}

export function tellStatus(listener: GrpcListener, status: GrpcStatus): void {
  listener.onReceiveStatus(status)
}
