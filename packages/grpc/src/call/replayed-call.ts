import { type Lane, runInLane } from '@laneway/core'
import type { GrpcCall, GrpcListener, GrpcMetadata, MessageContext } from '../grpc-js.js'

interface Message {
  readonly context: MessageContext
  readonly message: Buffer
}

/** Never added to. */
const NONE: Message[] = []

/**
 * What a caller says to a call, handed on to a call on the channel of an endpoint, and kept as long as it can be repeated
 * to another one. A base class and no part, because every call would pay for one more object.
 */
export abstract class ReplayedCall {
  /** The call on the channel of the endpoint; `undefined` while there is none. */
  protected inner: GrpcCall | undefined
  /** The call stays with the endpoint that it has. */
  protected committed = false
  protected halfClosed = false
  /** Lane of the code that made the call. */
  protected readonly caller: Lane | undefined
  #messages: Message[] = NONE
  #reads = 0
  #credentials: unknown

  constructor(caller: Lane | undefined) {
    this.caller = caller
  }

  sendMessageWithContext(context: MessageContext, message: Buffer): void {
    const bound = context.callback === undefined ? context : this.#bound(context)
    if (!this.committed) {
      // A second message, or one whose writer learns that it has left, cannot be repeated.
      if (this.inner !== undefined && (this.#messages.length > 0 || bound.callback !== undefined)) this.commit()
      else if (this.#messages === NONE) this.#messages = [{ context: bound, message }]
      else this.#messages.push({ context: bound, message })
    }
    this.inner?.sendMessageWithContext(bound, message)
  }

  startRead(): void {
    this.#reads++
    this.inner?.startRead()
  }

  halfClose(): void {
    this.halfClosed = true
    this.inner?.halfClose()
  }

  setCredentials(credentials: unknown): void {
    this.#credentials = credentials
    this.inner?.setCredentials(credentials)
  }

  getCallNumber(): number {
    return this.inner?.getCallNumber() ?? 0
  }

  getAuthContext(): unknown {
    return this.inner?.getAuthContext?.() ?? null
  }

  /** From now on the call stays where it is. */
  protected commit(): void {
    this.committed = true
    this.#messages = NONE
  }

  /** Starts a call and repeats to it what was said so far. grpc-js wants the credentials before the start. */
  protected replayOn(inner: GrpcCall, metadata: GrpcMetadata, listener: GrpcListener): void {
    if (this.#credentials !== undefined) inner.setCredentials(this.#credentials)
    this.inner = inner
    inner.start(metadata, listener)
    for (let read = 0; read < this.#reads; read++) inner.startRead()
    for (const { context, message } of this.#messages) inner.sendMessageWithContext(context, message)
    if (this.halfClosed) inner.halfClose()
    if (this.committed || this.#messages.length > 1 || this.#messages[0]?.context.callback !== undefined) this.commit()
  }

  /** A writer that learns that its message has left goes on in its own lane. */
  #bound({ callback, flags }: MessageContext): MessageContext {
    const told = (error?: Error | null) => runInLane(this.caller, () => callback?.(error))
    return flags === undefined ? { callback: told } : { callback: told, flags }
  }
}
