import http, { type IncomingMessage, type ServerResponse } from 'node:http'
import http2 from 'node:http2'
import https from 'node:https'
import type { Server } from 'node:net'
import type { ListenerOptions } from '../gateway-options.js'
import type { ResolvedClientOptions } from '../resolve-options.js'
import { GatewayRequest } from './gateway-request.js'

/** How often Node looks for requests whose head takes too long, at most. */
const HEADERS_CHECK_MS = 30_000

const MAX_MS = 2 ** 31 - 1

const HTTP2: http2.ServerOptions = {
  // Enough for a browser; each stream costs memory before it is a request.
  settings: { maxConcurrentStreams: 256, enableConnectProtocol: false },
  // As many as HTTP/1 may have: browsers send each cookie as a field of its own.
  maxHeaderListPairs: 900,
}

/** Creates Node's server for the protocol of a listener, with the limits of the gateway. */
export function createServer(
  { protocol = 'http', tls }: ListenerOptions,
  client: ResolvedClientOptions,
  handler: (request: IncomingMessage, response: ServerResponse) => void,
): Server {
  if (protocol === 'h2c') return http2.createServer(HTTP2, handler as never)
  const { headersTimeoutMs, keepAliveMs, handshakeTimeoutMs } = client
  const common = {
    IncomingMessage: GatewayRequest as unknown as typeof IncomingMessage,
    requestTimeout: 0,
    // `readTarget` checks it: such a request gets an answer and a line in the log, like any other bad one.
    requireHostHeader: false,
  }
  const timeouts = {
    headersTimeout: headersTimeoutMs,
    // A body may take any time, as long as some of it arrives; see `stallTimeoutMs`.
    requestTimeout: 0,
    keepAliveTimeout: keepAliveMs,
    connectionsCheckingInterval: Math.min(Math.ceil(headersTimeoutMs / 4) || HEADERS_CHECK_MS, HEADERS_CHECK_MS),
    // Keeps both of Node's lists of header fields complete; `readTarget` limits their number.
    maxHeadersCount: 0,
  }
  if (protocol === 'http') return Object.assign(http.createServer({ ...common, noDelay: true }, handler), timeouts)
  const { http2: withHttp2 = true, ...context } = { handshakeTimeout: handshakeTimeoutMs || MAX_MS, ...tls }
  if (!withHttp2) return Object.assign(https.createServer({ ...context, ...common }, handler), timeouts)
  const options = {
    ...context,
    ...HTTP2,
    allowHTTP1: true,
    Http1IncomingMessage: common.IncomingMessage,
    requireHostHeader: false,
  }
  return Object.assign(http2.createSecureServer(options as http2.SecureServerOptions, handler as never), timeouts)
}
