import { currentLane, type Lane, runInLane } from '@laneway/core'
import type { GrpcMetadata } from '../grpc-js.js'

/** Of `InterceptingServerListener`. */
export interface ServerListener {
  onReceiveMetadata(metadata: GrpcMetadata): void
  onReceiveMessage(message: unknown): void
  onReceiveHalfClose(): void
  onCancel(): void
}

/** The lane of one call at a server, and what runs in it. */
export class ServerLane implements ServerListener {
  readonly #decide: (metadata: GrpcMetadata) => Lane | undefined
  #listener: ServerListener | undefined
  #lane: Lane | undefined

  /** @param decide - called once, with the metadata as it came; may take something out of it */
  constructor(decide: (metadata: GrpcMetadata) => Lane | undefined) {
    this.#decide = decide
  }

  /** @returns what receives in place of the listener */
  listen(listener: ServerListener): ServerListener {
    this.#listener = listener
    return this
  }

  onReceiveMetadata(metadata: GrpcMetadata): void {
    this.#lane = this.#decide(metadata)
    this.#run(tellMetadata, metadata)
  }

  onReceiveMessage(message: unknown): void {
    this.#run(tellMessage, message)
  }

  onReceiveHalfClose(): void {
    this.#run(tellHalfClose, undefined)
  }

  onCancel(): void {
    this.#run(tellCancel, undefined)
  }

  /** A writer goes on when it is told that its message has left. */
  bind(callback: () => void): () => void {
    return () => runInLane(this.#lane, callback)
  }

  #run<A>(tell: (listener: ServerListener, what: A) => void, what: A): void {
    const lane = this.#lane
    if (currentLane() === lane) tell(this.#listener!, what)
    else runInLane(lane, tell, this.#listener!, what)
  }
}

function tellMetadata(listener: ServerListener, metadata: GrpcMetadata): void {
  listener.onReceiveMetadata(metadata)
}

function tellMessage(listener: ServerListener, message: unknown): void {
  listener.onReceiveMessage(message)
}

function tellHalfClose(listener: ServerListener): void {
  listener.onReceiveHalfClose()
}

function tellCancel(listener: ServerListener): void {
  listener.onCancel()
}
