import { type Lane, runInLane } from '@laneway/core'
import type { GrpcCall, GrpcListener, GrpcMetadata, MessageContext } from '../grpc-js.js'

interface Message {
  readonly context: MessageContext
  readonly message: Buffer
}

/** Never added to. */
const NONE: Message[] = []

/**
 * Forwards what the caller does to the call on an endpoint's channel, and keeps it as long as it can be repeated on another
 * endpoint. It is a base class, because a part would cost every call one more object.
 */
export abstract class ReplayedCall {
  /** The call on the channel of the endpoint; `undefined` while there is none. */
  protected inner: GrpcCall | undefined
  /** The call cannot move to another endpoint any more. */
  protected committed = false
  protected halfClosed = false
  /** What is kept for the code that made the call: its lane, with its trace if it has one. */
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
      // A second message cannot be repeated, nor one whose writer was notified that it is sent.
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

  /** From now on the call stays with its endpoint. */
  protected commit(): void {
    this.committed = true
    this.#messages = NONE
  }

  /** Starts a call and repeats on it what the caller has done so far. grpc-js needs the credentials before the start. */
  protected replayOn(inner: GrpcCall, metadata: GrpcMetadata, listener: GrpcListener): void {
    if (this.#credentials !== undefined) inner.setCredentials(this.#credentials)
    this.inner = inner
    inner.start(metadata, listener)
    for (let read = 0; read < this.#reads; read++) inner.startRead()
    for (const { context, message } of this.#messages) inner.sendMessageWithContext(context, message)
    if (this.halfClosed) inner.halfClose()
    if (this.committed || this.#messages.length > 1 || this.#messages[0]?.context.callback !== undefined) this.commit()
  }

  /** The callback of a written message runs in the lane of the caller. */
  #bound({ callback, flags }: MessageContext): MessageContext {
    const written = (error?: Error | null) => runInLane(this.caller, () => callback?.(error))
    return flags === undefined ? { callback: written } : { callback: written, flags }
  }
}
