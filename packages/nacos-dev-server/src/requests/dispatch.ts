import type { Dialect } from '../dialect.js'
import type { FaultRules } from '../faults/fault-rules.js'
import type { Session } from '../session/session.js'
import type { Payload } from '../transport/payload.js'
import { type Answer, failure, success } from './answer.js'
import type { RequestBody, RequestHandler } from './request.js'
import type { TokenStore } from './token-store.js'

interface DispatchParts {
  readonly dialect: Dialect
  readonly requests: ReadonlyMap<string, RequestHandler>
  readonly tokens: TokenStore
  readonly rules: FaultRules
}

/** Answers unary requests, with the checks of a real server in its order. */
export function createDispatch(parts: DispatchParts): (session: Session, request: Payload) => Answer {
  const { dialect, requests, tokens, rules } = parts
  return (session, request) => {
    const fault = rules.take('fail-answer', session, request.type)
    if (fault !== undefined) {
      // A missing permission is answered in the answer's own type, everything else by an ErrorResponse.
      const type = fault.errorCode === 403 ? requests.get(request.type)?.answer : undefined
      return failure(type ?? 'ErrorResponse', fault.errorCode, fault.message)
    }
    if (request.type === 'ServerCheckRequest') {
      const negotiates = dialect.abilities !== undefined && { supportAbilityNegotiation: true }
      return success('ServerCheckResponse', { connectionId: session.id, ...negotiates })
    }
    const handler = requests.get(request.type)
    if (handler === undefined) return failure('ErrorResponse', 302, 'RequestHandler Not Found')
    if (!session.registered) return failure('ErrorResponse', 301, 'Connection is unregistered.')
    session.activeAt = Date.now()
    const body = parseBody(request.body)
    if (body === undefined) {
      return failure('ErrorResponse', 502, 'errCode: 101, errMsg: Nacos deserialize failed.  ')
    }
    const refused = handler.action === 'none' ? undefined : tokens.refusal(tokenOf(request), handler.action)
    if (refused !== undefined) {
      const options = handler.refusedFields === undefined ? {} : { fields: handler.refusedFields }
      return failure(handler.answer, 403, dialect.refusals[refused], options)
    }
    try {
      return handler.handle(body, session)
    } catch (error) {
      return failure('ErrorResponse', 500, String(error))
    }
  }
}

function tokenOf(request: Payload): string | undefined {
  return request.headers.get('accessToken')
}

function parseBody(bytes: Buffer): RequestBody | undefined {
  try {
    const value: unknown = JSON.parse(bytes.toString())
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as RequestBody) : undefined
  } catch {
    return undefined
  }
}
