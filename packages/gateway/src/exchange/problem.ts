import { STATUS_CODES } from 'node:http'

/** Why the gateway itself answers instead of an upstream. */
export type Refusal =
  | 'bad-request'
  | 'method-not-allowed'
  | 'client-timeout'
  | 'head-too-large'
  | 'no-route'
  | 'not-ready'
  | 'lane-required'
  | 'no-base'
  | 'no-instances'
  | 'no-backend'
  | 'connect-failed'
  | 'forbidden-address'
  | 'upstream-reset'
  | 'bad-answer'
  | 'busy'
  | 'timeout'
  | 'closing'

interface RefusalKind {
  readonly status: number
  readonly detail: string
  /** Seconds, where a retry may succeed. */
  readonly retryAfter?: string
  readonly allow?: string
}

const KINDS: Readonly<Record<Refusal, RefusalKind>> = {
  'bad-request': { status: 400, detail: 'The request cannot be forwarded as it is.' },
  'method-not-allowed': { status: 405, detail: 'The gateway opens no tunnels.', allow: 'GET, HEAD, POST' },
  'client-timeout': { status: 408, detail: 'The request did not arrive in time.' },
  'head-too-large': { status: 431, detail: 'The request has too many header lines, or too long ones.' },
  'no-route': { status: 404, detail: 'No route takes this host and path.' },
  'not-ready': { status: 503, detail: 'The endpoints of the service are not known yet.', retryAfter: '1' },
  'lane-required': {
    status: 503,
    detail: 'The service has no usable endpoint in the lane of this request, and must not serve it from base.',
    retryAfter: '5',
  },
  'no-base': { status: 503, detail: 'The service has no base endpoint for this request.', retryAfter: '5' },
  'no-instances': { status: 503, detail: 'The service has no endpoint at all.', retryAfter: '5' },
  'no-backend': { status: 500, detail: 'The route has no backend with a weight.' },
  'connect-failed': { status: 502, detail: 'No connection to the service could be made.' },
  'forbidden-address': { status: 502, detail: 'The name of an endpoint leads to an address that is not allowed.' },
  'upstream-reset': { status: 502, detail: 'The service ended the connection before it answered.' },
  'bad-answer': { status: 502, detail: 'The service sent an answer that cannot be passed on.' },
  busy: { status: 503, detail: 'The service has no connection free for this request.', retryAfter: '1' },
  timeout: { status: 504, detail: 'The service did not answer in time.' },
  closing: { status: 503, detail: 'The gateway is shutting down.', retryAfter: '1' },
}

/** An answer by the gateway itself. It is created once, because it says nothing about a single request. RFC 9457. */
export interface Problem {
  readonly refusal: Refusal
  readonly status: number
  /** The reason phrase. */
  readonly title: string
  readonly body: Buffer
  readonly headers: Readonly<Record<string, string>>
}

export const PROBLEMS: Readonly<Record<Refusal, Problem>> = Object.freeze(
  Object.fromEntries(
    Object.entries(KINDS).map(([refusal, { status, detail, retryAfter, allow }]) => {
      const title = STATUS_CODES[status] ?? 'Error'
      const body = Buffer.from(
        JSON.stringify({ type: 'about:blank', title, status, detail, code: refusal.replaceAll('-', '_') }),
      )
      const headers: Record<string, string> = {
        'content-type': 'application/problem+json',
        'content-length': String(body.length),
        'cache-control': 'no-store',
      }
      if (retryAfter !== undefined) headers['retry-after'] = retryAfter
      if (allow !== undefined) headers.allow = allow
      return [refusal, Object.freeze({ refusal, status, title, body, headers: Object.freeze(headers) })]
    }),
  ) as Record<Refusal, Problem>,
)

/** The refusal for an error of Laneway or undici, before an answer has begun. */
export function refusalOf(error: unknown): Refusal {
  const { code, name, message } = Object(error) as { code?: unknown; name?: unknown; message?: unknown }
  switch (code) {
    case 'LANEWAY_NOT_READY':
      return 'not-ready'
    case 'LANEWAY_LANE_REQUIRED':
      return 'lane-required'
    case 'LANEWAY_NO_BASE':
      return 'no-base'
    case 'LANEWAY_NO_INSTANCES':
      return 'no-instances'
    case 'LANEWAY_OVERLOADED':
      return 'busy'
    case 'LANEWAY_FORBIDDEN_ADDRESS':
      return 'forbidden-address'
    case 'LANEWAY_CLOSED':
    case 'UND_ERR_CLOSED':
    case 'UND_ERR_DESTROYED':
      return 'closing'
    case 'UND_ERR_HEADERS_TIMEOUT':
    case 'UND_ERR_BODY_TIMEOUT':
    case 'UND_ERR_CONNECT_TIMEOUT':
    case 'ETIMEDOUT':
      return 'timeout'
    case 'UND_ERR_INVALID_ARG':
    case 'UND_ERR_NOT_SUPPORTED':
    case 'UND_ERR_REQ_CONTENT_LENGTH_MISMATCH':
      return 'bad-request'
    case 'LANEWAY_GATEWAY_CLIENT_STALLED':
      return 'client-timeout'
    case 'LANEWAY_GATEWAY_BUSY':
      return 'busy'
    case 'LANEWAY_GATEWAY_BAD_ANSWER':
    case 'UND_ERR_HEADERS_OVERFLOW':
    case 'UND_ERR_RES_CONTENT_LENGTH_MISMATCH':
    case 'UND_ERR_RES_EXCEEDED_MAX_SIZE':
      return 'bad-answer'
    case 'UND_ERR_SOCKET':
      // The messages of undici for a 101 or 100 that the gateway did not ask for.
      return message === 'bad upgrade' || message === 'bad response' ? 'bad-answer' : 'upstream-reset'
    case 'LANEWAY_RESUME_MOVED':
    case 'ECONNRESET':
    case 'EPIPE':
      return 'upstream-reset'
  }
  return name === 'HTTPParserError' ? 'bad-answer' : 'connect-failed'
}
