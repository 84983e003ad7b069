/**
 * The parts of `@grpc/grpc-js` that this package uses, as interfaces: a program may have several copies of it, and an
 * application compiles with the version that it has.
 */

/** Of `Metadata`. */
export interface GrpcMetadata {
  get(key: string): (string | Buffer)[]
  set(key: string, value: string): void
  remove(key: string): void
  clone(): GrpcMetadata
  getMap(): Record<string, string | Buffer>
  toJSON(): Record<string, (string | Buffer)[]>
  getOptions(): { waitForReady?: boolean }
}

/** Of `StatusObject`. */
export interface GrpcStatus {
  readonly code: number
  readonly details: string
  readonly metadata: GrpcMetadata
}

/** Of `InterceptingListener`. */
export interface GrpcListener {
  onReceiveMetadata(metadata: GrpcMetadata): void
  onReceiveMessage(message: unknown): void
  onReceiveStatus(status: GrpcStatus): void
}

/** What a message is sent with: `callback` is called when it has been written. */
export interface MessageContext {
  callback?: (error?: Error | null) => void
  flags?: number
}

/** Of the `Call` that a channel makes. */
export interface GrpcCall {
  start(metadata: GrpcMetadata, listener: GrpcListener): void
  sendMessageWithContext(context: MessageContext, message: Buffer): void
  startRead(): void
  halfClose(): void
  cancelWithStatus(code: number, details: string): void
  setCredentials(credentials: unknown): void
  getPeer(): string
  getCallNumber(): number
  /** Since 1.14. */
  getAuthContext?(): unknown
}

/** Of a server call whose deadline and end a call of its handler may share. */
export interface ParentCall {
  on(event: 'cancelled', listener: () => void): unknown
  removeListener(event: 'cancelled', listener: () => void): unknown
  getDeadline(): Date | number
}

/** The arguments of `Channel.createCall`. */
export type CallArguments = [
  method: string,
  deadline: Date | number,
  host: string | null | undefined,
  parent: ParentCall | null,
  propagate: number | null | undefined,
]

/** Of `Channel`. */
export interface GrpcChannel {
  close(): void
  getTarget(): string
  getConnectivityState(tryToConnect: boolean): number
  watchConnectivityState(state: number, deadline: Date | number, callback: (error?: Error) => void): void
  getChannelzRef(): unknown
  createCall(...args: CallArguments): GrpcCall
}

/** Of `ChannelCredentials`. */
export interface GrpcCredentials {
  _isSecure(): boolean
}

/** Options of a channel, `grpc.…` and others. */
export type ChannelOptions = Record<string, unknown>

/** Makes a channel that knows nothing of lanes. */
export type MakeChannel = (target: string, credentials: GrpcCredentials, options: ChannelOptions) => GrpcChannel

// https://github.com/grpc/grpc/blob/master/doc/statuscodes.md
export const CANCELLED = 1
export const UNKNOWN = 2
export const DEADLINE_EXCEEDED = 4
export const INTERNAL = 13
export const UNAVAILABLE = 14

// https://github.com/grpc/grpc/blob/master/doc/connectivity-semantics-and-api.md, in the numbers of grpc-js
export const IDLE = 0
export const CONNECTING = 1
export const READY = 2
export const TRANSIENT_FAILURE = 3
export const SHUTDOWN = 4

/** `grpc.propagate`. */
export const PROPAGATE_DEADLINE = 1
export const PROPAGATE_CANCELLATION = 8
