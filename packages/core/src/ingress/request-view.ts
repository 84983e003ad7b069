import type { IngressRequest } from './request.js'

/** What is known about the connection of a request. */
export interface PeerSocket {
  /** The address of the peer, which may be a proxy; `undefined` for a unix socket or a closed connection. */
  readonly remoteAddress?: string | undefined
  /** The connection is TLS. */
  readonly encrypted?: boolean | undefined
  /** The client certificate was verified, on a server with `requestCert`. */
  readonly authorized?: boolean | undefined
  /** The client certificate, on TLS connections. */
  getPeerCertificate?(): {
    readonly subject?: { readonly CN?: string | string[] }
    readonly subjectaltname?: string | undefined
    readonly fingerprint256?: string | undefined
  }
}

/** What `trust` and `rules` see of a request. It is the same in Express, Fastify and `node:http`. */
export interface RequestView {
  /** By lower-case name. */
  readonly headers: Record<string, string | string[] | undefined>
  readonly method: string | undefined
  /** Path and query as the client sent them. Inside a mounted Express router too. */
  readonly url: string | undefined
  /** Empty where there is no connection, as for `inject()`. */
  readonly socket: PeerSocket
}

type ServedRequest = IngressRequest & {
  readonly method?: unknown
  readonly url?: unknown
  /** Express cuts `url` inside a mounted router; this one is whole. */
  readonly originalUrl?: unknown
}

const NO_SOCKET: PeerSocket = Object.freeze({})

class View implements RequestView {
  readonly headers: RequestView['headers']
  readonly method: string | undefined
  readonly url: string | undefined
  readonly #request: IngressRequest

  constructor(request: ServedRequest) {
    const { method, url, originalUrl } = request
    this.headers = request.headers
    this.method = typeof method === 'string' ? method : undefined
    const received = typeof originalUrl === 'string' ? originalUrl : url
    this.url = typeof received === 'string' ? received : undefined
    this.#request = request
  }

  /** A getter, because HTTP/2 creates the object at the first read. */
  get socket(): PeerSocket {
    return (this.#request.socket as PeerSocket | null | undefined) ?? NO_SOCKET
  }
}

/** The view of a request, whatever framework it comes from. */
export function viewOf(request: IngressRequest): RequestView {
  return new View(request)
}
