import type { Emitter } from '@laneway/core'
import type { IngressRequest } from '@laneway/core/internal'

/** The request that was made of a stream: an interceptor of `@laneway/grpc` finds it there, so that a call counts once. */
const kStreamRequest = Symbol.for('laneway.http2.request')
/** Where `@laneway/core` keeps a decision. */
const kDecision = Symbol.for('laneway.decision')
const kProvisional = Symbol.for('laneway.decision.provisional')

type Headers = Record<string, string | string[] | undefined>

/** What Node hands to the listeners of `stream`. */
export type StreamArguments = [
  event: 'stream',
  stream: Http2StreamLike,
  headers: Headers,
  flags: number,
  rawHeaders?: string[],
]

/** Of `ServerHttp2Stream`. */
export interface Http2StreamLike extends Emitter {
  readonly session?: { readonly socket?: { readonly remoteAddress?: string } } | undefined
  [kStreamRequest]?: GrpcRequest
}

/** A gRPC call as an ingress sees it. The ingress removes refused tags from the headers that the listeners get. */
export class GrpcRequest implements IngressRequest, Emitter {
  readonly headers: Headers
  readonly rawHeaders: string[]
  readonly method = 'POST'
  readonly #stream: Http2StreamLike

  constructor(stream: Http2StreamLike, headers: Headers, rawHeaders: string[] | undefined) {
    this.#stream = stream
    this.headers = headers
    this.rawHeaders = rawHeaders ?? []
    stream[kStreamRequest] = this
  }

  /** `/package.Service/Method` */
  get url(): string {
    return String(this.headers[':path'])
  }

  get socket(): { readonly remoteAddress?: string } | null {
    return this.#stream.session?.socket ?? null
  }

  // A request is bound by its events, but a call has these on its stream.
  emit(): boolean {
    return false
  }

  on(): this {
    return this
  }

  removeListener(): this {
    return this
  }
}

type Counted = Emitter & { listenerCount?(event: string): number }

/** Whether a server has listeners of `request`, so that Node makes requests of its streams. */
export function servesRequests(server: Counted): boolean {
  return (server.listenerCount?.('request') ?? 0) > 0
}

/**
 * Whether the listeners of `stream` serve a gRPC call. A server whose only such listener is Node's, which makes requests,
 * gets the call as a request: one of connect, for instance.
 */
export function isGrpcCall(server: Counted, args: unknown[]): boolean {
  const type = Object(args[2])['content-type']
  if (typeof type !== 'string' || !type.startsWith('application/grpc')) return false
  return !servesRequests(server) || server.listenerCount!('stream') > 1
}

type Decided = { [kDecision]?: unknown; [kProvisional]?: unknown }

/** The decision about a stream counts for the request that the compatibility API makes of it. */
export function adoptDecision(request: IngressRequest & Decided): void {
  const decided = (request as { stream?: Http2StreamLike }).stream?.[kStreamRequest] as Decided | undefined
  if (decided === undefined) return
  request[kDecision] = decided[kDecision]
  request[kProvisional] = decided[kProvisional]
}
