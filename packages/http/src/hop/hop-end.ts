import type { ClientRequest } from 'node:http'
import { emitLanewayWarning } from '@laneway/core'
import type { ChoiceEnd } from '@laneway/discovery'

/** The second is that of axios, unless it was told otherwise. */
const TIMEOUT_CODES: ReadonlySet<string> = new Set(['ETIMEDOUT', 'ECONNABORTED', 'ESOCKETTIMEDOUT'])

/** How a request to an endpoint ended, and whether that says something about the endpoint. */
export class HopEnd {
  /** It got a socket at once, so the endpoint had all the time that the caller gave. */
  reached = false
  /** Time went by in a wait, or at another endpoint: it says nothing about this one. */
  delayed = false
  /** TCP is connected, TLS is not. */
  handshaking = false
  #cancelled = false
  /** The caller gave up because its time was over. */
  #late = false
  /** While listeners are told of a timeout. */
  #timingOut = false

  /** Those who listen are about to be told that the request is idle for the time they set. */
  timingOut(): void {
    this.#timingOut = true
    process.nextTick(endTimingOut, this)
  }

  notTimingOut(): void {
    this.#timingOut = false
  }

  /** The caller gave up, or its agent did. @param error - what the request was destroyed with */
  cancelled(error: unknown): void {
    this.#cancelled = true
    this.#late = this.#timingOut || isTimeout(error)
  }

  /** Nobody said why the connection ended before it was made: its agent was destroyed, for instance. */
  lost(): void {
    this.#cancelled = true
  }

  of(request: ClientRequest): ChoiceEnd {
    // Set when the head of a response has arrived, and stays.
    if ((request as { res?: unknown }).res) return 'ok'
    if (this.#cancelled) return this.#late && this.reached && !this.delayed ? 'timeout' : 'aborted'
    return this.handshaking ? 'connect-error' : 'reset'
  }
}

function endTimingOut(end: HopEnd): void {
  end.notTimingOut()
}

/** What axios and got destroy a request with, or an `AbortSignal.timeout()`, when its time is over. */
function isTimeout(error: unknown): boolean {
  const { name, code, cause } = Object(error) as { name?: unknown; code?: unknown; cause?: unknown }
  if (name === 'TimeoutError' || (typeof code === 'string' && TIMEOUT_CODES.has(code))) return true
  return name === 'AbortError' && (Object(cause) as { name?: unknown }).name === 'TimeoutError'
}

/** For faults of a resolver that no request can end with. */
export function warnOfFault(error: unknown): void {
  emitLanewayWarning(`a resolver failed when it was told of an end: ${(error as Error)?.stack ?? error}`)
}
