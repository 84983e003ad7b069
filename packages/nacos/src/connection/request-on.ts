import { LanewayError } from '@laneway/core'
import type { Message } from '../wire/transport.js'
import type { Login } from './login.js'
import type { NacosClientOptions } from './options.js'
import { describeAnswer, type Session } from './session.js'

/** Additions to a request. */
export interface RequestExtras {
  /** Error codes that are answers, not failures. */
  readonly expected?: readonly number[]
  readonly headers?: Readonly<Record<string, string>>
}

export interface SessionRequest extends RequestExtras {
  readonly type: string
  readonly module: string
  readonly body: Record<string, unknown>
  readonly login: Login | undefined
  readonly userHeaders: NacosClientOptions['headers']
}

/** A server may answer 301 right after an accepted setup; for this long it is asked again instead of given up. */
const YOUNG_MS = 2_000

/**
 * One request with token and headers, and what becomes of its refusal: an early 301 and an old token are tried again, a
 * later 301 ends the session.
 *
 * @throws LanewayError `LANEWAY_NACOS_UNAVAILABLE`, `LANEWAY_NACOS_REFUSED`, `LANEWAY_AUTH`, `LANEWAY_CLOSED`
 */
export async function requestOn(session: Session, request: SessionRequest): Promise<Message> {
  const { type, module, body, login, userHeaders, expected = [], headers = {} } = request
  let renewed = false
  for (;;) {
    const token = await login?.token()
    const answer = await session.request(type, module, body, {
      ...(userHeaders === undefined ? undefined : await userHeaders({ type, body })),
      ...headers,
      ...(token !== undefined && { accessToken: token }),
    })
    const code = Number(answer.body['errorCode'] ?? 0)
    // r-nacos has no "success", Java servers have; both have resultCode.
    if (answer.body['resultCode'] === 200 || expected.includes(code)) return answer
    if (code === 301) {
      if (Date.now() - session.openedAt < YOUNG_MS && !session.ended) {
        await pause(100)
        continue
      }
      session.end('the server does not know this connection any more (301)')
      throw new LanewayError('LANEWAY_NACOS_UNAVAILABLE', `${type}: ${describeAnswer(answer)}`)
    }
    if (code === 300 && answer.type === 'ErrorResponse') {
      throw new LanewayError('LANEWAY_NACOS_UNAVAILABLE', `${type}: the server is starting`)
    }
    if (code === 403) {
      // "No permission" and "bad or expired token" share this code, and the texts differ by version.
      if (!renewed && token !== undefined && (await login!.renew(token))) {
        renewed = true
        continue
      }
      throw new LanewayError('LANEWAY_AUTH', refusalText(`${type}: ${describeAnswer(answer)}`, request))
    }
    throw new LanewayError('LANEWAY_NACOS_REFUSED', `${type}: ${describeAnswer(answer)}`)
  }
}

/** A refusal with what to do about it. */
function refusalText(said: string, { login, userHeaders }: SessionRequest): string {
  const text = said.replace(/[.!\s]+$/, '')
  if (login !== undefined)
    return `Nacos gives "${login.username}" no right to this: ${text}; give the user the right in Nacos`
  if (userHeaders !== undefined) return `Nacos refuses this: ${text}; look at the option headers`
  return (
    `Nacos wants a login: ${text}; give username and password ` +
    '(LANEWAY_NACOS_USERNAME, LANEWAY_NACOS_PASSWORD or LANEWAY_NACOS_PASSWORD_FILE)'
  )
}

function pause(ms: number): Promise<void> {
  return new Promise(resolve => setTimeout(resolve, ms))
}
