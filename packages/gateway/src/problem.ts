import { STATUS_CODES } from 'node:http'

/** Why the gateway itself answers instead of an upstream. */
export type Refusal =
  | 'bad-request'
  | 'no-route'
  | 'not-ready'
  | 'lane-required'
  | 'no-base'
  | 'no-backend'
  | 'connect-failed'
  | 'upstream-reset'
  | 'timeout'
  | 'closing'

interface RefusalKind {
  readonly status: number
  readonly detail: string
  /** Seconds, for what may pass. */
  readonly retryAfter?: string
}

const KINDS: Readonly<Record<Refusal, RefusalKind>> = {
  'bad-request': { status: 400, detail: 'The request cannot be forwarded as it is.' },
  'no-route': { status: 404, detail: 'No route takes this host and path.' },
  'not-ready': { status: 503, detail: 'The endpoints of the service are not known yet.', retryAfter: '1' },
  'lane-required': {
    status: 503,
    detail: 'The service has no usable endpoint in the lane of this request, and must not serve it from base.',
    retryAfter: '5',
  },
  'no-base': { status: 503, detail: 'The service has no base endpoint for this request.', retryAfter: '5' },
  'no-backend': { status: 500, detail: 'The route has no backend with a weight.' },
  'connect-failed': { status: 502, detail: 'No connection to the service could be made.' },
  'upstream-reset': { status: 502, detail: 'The service ended the connection before it answered.' },
  timeout: { status: 504, detail: 'The service did not answer in time.' },
  closing: { status: 503, detail: 'The gateway is shutting down.', retryAfter: '1' },
}

/** An answer of the gateway's own, made once: none of them says anything about a single request. RFC 9457. */
export interface Problem {
  readonly refusal: Refusal
  readonly status: number
  readonly body: Buffer
  readonly headers: Readonly<Record<string, string>>
}

export const PROBLEMS: Readonly<Record<Refusal, Problem>> = Object.freeze(
  Object.fromEntries(
    Object.entries(KINDS).map(([refusal, { status, detail, retryAfter }]) => {
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
      return [refusal, Object.freeze({ refusal, status, body, headers: Object.freeze(headers) })]
    }),
  ) as Record<Refusal, Problem>,
)

/** Which refusal an error of Laneway or undici is, before an answer has begun. */
export function refusalOf(error: unknown): Refusal {
  const { code, name } = Object(error) as { code?: unknown; name?: unknown }
  switch (code) {
    case 'LANEWAY_NOT_READY':
      return 'not-ready'
    case 'LANEWAY_LANE_REQUIRED':
      return 'lane-required'
    case 'LANEWAY_NO_BASE':
      return 'no-base'
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
    case 'UND_ERR_SOCKET':
    case 'ECONNRESET':
    case 'EPIPE':
      return 'upstream-reset'
  }
  return name === 'HTTPParserError' ? 'upstream-reset' : 'connect-failed'
}
