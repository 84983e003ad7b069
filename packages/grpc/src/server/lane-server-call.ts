import { ServerInterceptingCall, type ServerInterceptingCallInterface } from '@grpc/grpc-js'
import { currentLane, type Ingress, type IngressRequest, type Lane, runInLane } from '@laneway/core'
import type { GrpcMetadata } from '../grpc-js.js'
import { ServerRequest } from './server-request.js'

/** The request that an http2 server has decided about, on its stream; set by `@laneway/http`. */
const kStreamRequest = Symbol.for('laneway.http2.request')

/** Of `InterceptingServerListener`. */
interface ServerListener {
  onReceiveMetadata(metadata: GrpcMetadata): void
  onReceiveMessage(message: unknown): void
  onReceiveHalfClose(): void
  onCancel(): void
}

type MetadataOf<T> = T extends (metadata: infer M) => void ? M : never
type StatusOf<T> = T extends (status: infer S) => void ? S : never

/**
 * One call at a server, and what runs in its lane. It is the listener of the call too, and hands everything on itself: the
 * class of grpc-js keeps order for interceptors that wait, at the price of ten closures a call (benchmark table `hop/grpc`).
 */
export class LaneServerCall extends ServerInterceptingCall implements ServerListener {
  readonly #call: ServerInterceptingCallInterface
  readonly #ingress: Ingress
  readonly #path: string
  #listener: ServerListener | undefined
  #lane: Lane | undefined

  constructor(call: ServerInterceptingCallInterface, ingress: Ingress, path: string) {
    super(call)
    this.#call = call
    this.#ingress = ingress
    this.#path = path
  }

  override start(listener: Parameters<ServerInterceptingCall['start']>[0]): void {
    this.#listener = listener as unknown as ServerListener
    this.#call.start(this as never)
  }

  override sendMetadata(metadata: MetadataOf<ServerInterceptingCall['sendMetadata']>): void {
    this.#call.sendMetadata(metadata)
  }

  override sendMessage(message: unknown, callback: () => void): void {
    const lane = this.#lane
    // A writer goes on when its message has left, in the context of the connection.
    this.#call.sendMessage(message, () => enter(lane, callback, undefined))
  }

  override sendStatus(status: StatusOf<ServerInterceptingCall['sendStatus']>): void {
    this.#call.sendStatus(status)
  }

  onReceiveMetadata(metadata: GrpcMetadata): void {
    const call = this.#call as ServerInterceptingCallInterface & { stream?: { [kStreamRequest]?: IngressRequest } }
    const request = call.stream?.[kStreamRequest] ?? new ServerRequest(metadata, this.#path, call)
    const { lane, stripped } = this.#ingress(request)
    this.#lane = lane
    if (stripped) ServerRequest.write(request, metadata)
    enter(lane, receiveMetadata, this.#listener!, metadata)
  }

  onReceiveMessage(message: unknown): void {
    enter(this.#lane, receiveMessage, this.#listener!, message)
  }

  onReceiveHalfClose(): void {
    enter(this.#lane, receiveHalfClose, this.#listener!)
  }

  onCancel(): void {
    enter(this.#lane, receiveCancel, this.#listener!)
  }
}

/** Like `runInLane`, and does nothing where the code is in that lane already. */
function enter<L, A>(lane: Lane | undefined, receive: (listener: L, what: A) => void, listener: L, what?: A): void {
  if (currentLane() === lane) receive(listener, what as A)
  else runInLane(lane, receive, listener, what as A)
}

function receiveMetadata(listener: ServerListener, metadata: GrpcMetadata): void {
  listener.onReceiveMetadata(metadata)
}

function receiveMessage(listener: ServerListener, message: unknown): void {
  listener.onReceiveMessage(message)
}

function receiveHalfClose(listener: ServerListener): void {
  listener.onReceiveHalfClose()
}

function receiveCancel(listener: ServerListener): void {
  listener.onCancel()
}
