import type { ClientRequest } from 'node:http'
import type { Socket } from 'node:net'
import type { ChoiceEnd } from '@laneway/discovery'

/** The second is the default of axios. */
const TIMEOUT_CODES: ReadonlySet<string> = new Set(['ETIMEDOUT', 'ECONNABORTED', 'ESOCKETTIMEDOUT'])

/** How a request to an endpoint ended, and whether the endpoint is to blame. */
export class HopEnd {
  /** It got a socket at once, so the endpoint had all the time that the caller gave. */
  reached = false
  /** Time went by in a wait, or at another endpoint, so a timeout does not blame this one. */
  delayed = false
  /** TCP is connected, TLS is not. */
  #handshaking = false
  #cancelled = false
  /** The caller aborted because its time was over. */
  #late = false
  /** While listeners of `timeout` run. */
  #timingOut = false

  /** TCP is connected. */
  connected(socket: Socket): void {
    if ((socket as { encrypted?: boolean }).encrypted !== true) return
    this.#handshaking = true
    socket.once('secureConnect', () => {
      this.#handshaking = false
    })
  }

  /** The listeners of `timeout` run next. */
  timingOut(): void {
    this.#timingOut = true
    process.nextTick(endTimingOut, this)
  }

  notTimingOut(): void {
    this.#timingOut = false
  }

  /** The caller aborted, or its agent did. @param error - what the request was destroyed with */
  cancelled(error: unknown): void {
    this.#cancelled = true
    this.#late = this.#timingOut || isTimeout(error)
  }

  /** The connection ended before it was made, for a reason that is not known, such as `agent.destroy()`. */
  lost(): void {
    this.#cancelled = true
  }

  /** The end to report for a request that is over. */
  of(request: ClientRequest): ChoiceEnd {
    // Set when the head of a response has arrived, and stays.
    if ((request as { res?: unknown }).res) return 'ok'
    if (this.#cancelled) return this.#late && this.reached && !this.delayed ? 'timeout' : 'aborted'
    return this.#handshaking ? 'connect-error' : 'reset'
  }
}

/** The status of the response; 0 while there is none. */
export function statusOf(request: ClientRequest): number {
  return (request as { res?: { statusCode?: number } | null }).res?.statusCode ?? 0
}

function endTimingOut(end: HopEnd): void {
  end.notTimingOut()
}

/** The errors with which axios, got or `AbortSignal.timeout()` destroy a request when its time is over. */
function isTimeout(error: unknown): boolean {
  const { name, code, cause } = Object(error) as { name?: unknown; code?: unknown; cause?: unknown }
  if (name === 'TimeoutError' || (typeof code === 'string' && TIMEOUT_CODES.has(code))) return true
  return name === 'AbortError' && (Object(cause) as { name?: unknown }).name === 'TimeoutError'
}
