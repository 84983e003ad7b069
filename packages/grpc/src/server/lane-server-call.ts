import { Metadata, ServerInterceptingCall, type ServerInterceptingCallInterface } from '@grpc/grpc-js'
import { type Lane, runInLane } from '@laneway/core'
import {
  contextNow,
  contextOf,
  type Ingress,
  type IngressRequest,
  PATH_HEADER,
  TRACE_HEADER,
  type Trace,
  traceOf,
} from '@laneway/core/internal'
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
 * One call at a server. It runs the listeners of the call in the lane. It is itself the listener, and forwards everything
 * directly: the class of grpc-js keeps the order for interceptors that wait, and makes about ten objects per call for that
 * (benchmark table `hop/grpc`).
 */
export class LaneServerCall extends ServerInterceptingCall implements ServerListener {
  readonly #call: ServerInterceptingCallInterface
  readonly #ingress: Ingress
  readonly #path: string
  #listener: ServerListener | undefined
  /** What is kept for the code of the call: its lane, with its trace if it has one. */
  #lane: Lane | undefined
  #trace: Trace | undefined

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
    // grpc-js calls back in the context of the connection.
    this.#call.sendMessage(message, () => enter(lane, callback, undefined))
  }

  override sendStatus(status: StatusOf<ServerInterceptingCall['sendStatus']>): void {
    const path = this.#trace?.close()
    if (path === undefined) {
      this.#call.sendStatus(status)
      return
    }
    // A handler may use one object for many calls.
    const metadata = status.metadata?.clone() ?? new Metadata()
    metadata.set(PATH_HEADER, path)
    this.#call.sendStatus({ ...status, metadata })
  }

  onReceiveMetadata(metadata: GrpcMetadata): void {
    const call = this.#call as ServerInterceptingCallInterface & { stream?: { [kStreamRequest]?: IngressRequest } }
    const request = call.stream?.[kStreamRequest] ?? new ServerRequest(metadata, this.#path, call)
    const decision = this.#ingress(request)
    const lane = contextOf(decision)
    this.#lane = lane
    if (decision.stripped) ServerRequest.write(request, metadata)
    metadata.remove(TRACE_HEADER)
    const trace = traceOf(lane)
    // An http2 server that has decided about the stream writes the path by itself.
    if (trace?.answered === false) this.#trace = trace
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

/** Like `runInLane`, but enters nothing where the code is in that lane already. */
function enter<L, A>(lane: Lane | undefined, receive: (listener: L, what: A) => void, listener: L, what?: A): void {
  if (contextNow() === lane) receive(listener, what as A)
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
