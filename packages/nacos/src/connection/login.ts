import type { IncomingMessage } from 'node:http'
import type { ConnectionOptions } from 'node:tls'
import { LanewayError, runInLane } from '@laneway/core'
import { backoffMs } from '@laneway/core/internal'
import type { ServerAddress } from './servers.js'

export interface LoginOptions {
  readonly servers: readonly ServerAddress[]
  readonly username: string
  readonly password: string
  readonly tls: ConnectionOptions | undefined
  readonly timeoutMs: number
  readonly random: () => number
  readonly now: () => number
  /** Called when a login failed; the old token stays in use. Attempts that fail in the same way are reported once. */
  readonly onError: (error: LanewayError) => void
}

/** 3.x has this path, 2.x has only the next; r-nacos has both. */
const PATHS = ['/v3/auth/user/login', '/v1/auth/users/login'] as const
/** A token this fresh that is refused lacks a permission; a new login would not help. */
const FRESH_MS = 5_000

interface Token {
  readonly value: string
  readonly at: number
}

/**
 * Keeps an access token: logs in when first asked, renews before it expires, and again when the server refused it. The
 * HTTP API may be down while gRPC works; then the old token stays in use, and attempts back off up to 30 s.
 */
export class Login {
  readonly #options: LoginOptions
  #token: Token | undefined
  #pending: Promise<Token> | undefined
  #timer: NodeJS.Timeout | undefined
  #failures = 0
  #retryAt = 0
  #lastError: LanewayError | undefined
  /** The last message that was given to `onError`. */
  #reported: string | undefined
  #closed = false

  constructor(options: LoginOptions) {
    this.#options = options
  }

  get username(): string {
    return this.#options.username
  }

  /** @throws LanewayError when there is no token: `LANEWAY_AUTH`, or `LANEWAY_NACOS_UNAVAILABLE` when the login is down */
  async token(): Promise<string> {
    if (this.#token !== undefined) return this.#token.value
    return (await this.#login()).value
  }

  /** Whether a refused request is worth another attempt: there is another token than the one it carried. Never throws. */
  async renew(refused: string): Promise<boolean> {
    const current = this.#token
    if (current !== undefined && current.value !== refused) return true
    if (current !== undefined && this.#options.now() - current.at < FRESH_MS) return false
    try {
      return (await this.#login()).value !== refused
    } catch {
      return false
    }
  }

  close(): void {
    this.#closed = true
    clearTimeout(this.#timer)
  }

  #login(): Promise<Token> {
    if (this.#closed) return Promise.reject(new LanewayError('LANEWAY_CLOSED', 'the Nacos client is closed'))
    if (this.#pending !== undefined) return this.#pending
    if (this.#lastError !== undefined && this.#options.now() < this.#retryAt) return Promise.reject(this.#lastError)
    // One login serves all, whichever request came first: it belongs to no lane.
    this.#pending = runInLane(undefined, () => this.#begin())
    return this.#pending
  }

  #begin(): Promise<Token> {
    return this.#attempt().then(
      ({ token, ttlMs }) => {
        this.#pending = undefined
        this.#failures = 0
        this.#lastError = undefined
        this.#reported = undefined
        this.#token = { value: token, at: this.#options.now() }
        // As Java does: a tenth to a fifteenth of the life before its end.
        this.#schedule(ttlMs - ttlMs * (1 / 15 + this.#options.random() * (1 / 10 - 1 / 15)))
        return this.#token
      },
      (error: LanewayError) => {
        this.#pending = undefined
        const delayMs = backoffMs(this.#failures, 1_000, 30_000, this.#options.random, 'linear')
        this.#failures++
        this.#retryAt = this.#options.now() + delayMs
        this.#lastError = error
        this.#schedule(delayMs)
        if (this.#reported !== error.message) {
          this.#reported = error.message
          this.#options.onError(error)
        }
        throw error
      },
    )
  }

  #schedule(delayMs: number): void {
    clearTimeout(this.#timer)
    if (this.#closed) return
    this.#timer = setTimeout(
      () => {
        this.#retryAt = 0
        this.#login().catch(() => {})
      },
      Math.min(Math.max(delayMs, 100), 2 ** 31 - 1),
    )
    this.#timer.unref()
  }

  async #attempt(): Promise<{ token: string; ttlMs: number }> {
    let last: { problem: string; status: number; cause: unknown } | undefined
    for (const server of this.#options.servers) {
      for (const path of PATHS) {
        const url = `${server.httpUrl}${path}`
        try {
          const { status, text } = await this.#post(url)
          if (status === 200) return readToken(text)
          // The older path does not know what the newer one has said: 404 and 410 there hide a refusal here.
          if (last === undefined || last.status === 0 || !UNKNOWN_PATH.has(status)) {
            last = { problem: `${url} answered ${this.#answerText(status, text)}`, status, cause: undefined }
          }
          // 401 and 403 are answers to the credentials. Everything else (404, 410, 501; 500 is a wrong password on some
          // servers) may be different on the older path.
          if (status === 401 || status === 403) break
        } catch (cause) {
          last = { problem: `${url}: ${(cause as Error).message}`, status: 0, cause }
          break
        }
      }
    }
    const { problem, status, cause } = last!
    // A login server that is down refuses nothing: whatever waits for it is tried again.
    const refused = status !== 0 && status < 502
    const fix = `look at username and password (LANEWAY_NACOS_USERNAME, LANEWAY_NACOS_PASSWORD or LANEWAY_NACOS_PASSWORD_FILE)${
      status === 500 ? '; Nacos answers HTTP 500 to a wrong password, and when its database is down' : ''
    }`
    throw new LanewayError(
      refused ? 'LANEWAY_AUTH' : 'LANEWAY_NACOS_UNAVAILABLE',
      `login of "${this.#options.username}" failed: ${problem}${refused ? `; ${fix}` : ''}`,
      cause === undefined ? undefined : { cause },
    )
  }

  /** The same text for each attempt: error pages of Nacos contain the time, so they are not shown. */
  #answerText(status: number, text: string): string {
    const said = saidIn(text)
    const { password } = this.#options
    // A proxy may show what it was sent.
    const shown =
      password === '' ? said : said.replaceAll(password, '***').replaceAll(encodeURIComponent(password), '***')
    return `HTTP ${status}${shown === '' ? '' : ` (${shown})`}`
  }

  async #post(url: string): Promise<{ status: number; text: string }> {
    const { username, password, tls, timeoutMs } = this.#options
    const secure = url.startsWith('https:')
    const { request } = secure ? await import('node:https') : await import('node:http')
    const form = new URLSearchParams({ username, password }).toString()
    return new Promise((resolve, reject) => {
      const call = request(
        url,
        {
          method: 'POST',
          agent: false,
          headers: { 'content-type': 'application/x-www-form-urlencoded', 'content-length': Buffer.byteLength(form) },
          signal: AbortSignal.timeout(timeoutMs),
          ...(secure && tls),
        },
        (response: IncomingMessage) => {
          let text = ''
          response.setEncoding('utf8')
          response.on('data', (chunk: string) => {
            if (text.length < 100_000) text += chunk
          })
          response.on('error', reject)
          response.on('end', () => resolve({ status: response.statusCode ?? 0, text }))
        },
      )
      call.on('error', reject)
      call.end(form)
    })
  }
}

/** Statuses of servers that do not have a path. */
const UNKNOWN_PATH: ReadonlySet<number> = new Set([404, 405, 410, 501])

/** What an answer says of its refusal: its `message`, or its text where it is no JSON; at most 200 characters. */
function saidIn(text: string): string {
  let said: unknown = text
  try {
    const answer = JSON.parse(text) as { message?: unknown; data?: unknown } | null
    said = typeof answer?.data === 'string' && answer.data !== '' ? answer.data : answer?.message
  } catch {
    // No JSON: the text is what it says.
  }
  return typeof said === 'string' ? said.replace(/\s+/g, ' ').trim().slice(0, 200) : ''
}

function readToken(text: string): { token: string; ttlMs: number } {
  const answer = JSON.parse(text) as { accessToken?: unknown; tokenTtl?: unknown; data?: Record<string, unknown> }
  const { accessToken, tokenTtl } = (answer.accessToken === undefined && answer.data) || answer
  if (typeof accessToken !== 'string' || accessToken === '') throw new Error(`no accessToken in ${text.slice(0, 200)}`)
  const seconds = Number(tokenTtl)
  return { token: accessToken, ttlMs: (seconds > 0 ? seconds : 18_000) * 1000 }
}
