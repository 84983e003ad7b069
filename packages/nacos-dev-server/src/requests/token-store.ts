import { randomBytes } from 'node:crypto'
import type { ResolvedOptions } from '../options.js'

/** Why a request is not served. */
export type Refusal = 'missing' | 'invalid' | 'expired' | 'forbidden'

/** What a login answers. */
export interface Login {
  readonly accessToken: string
  readonly tokenTtl: number
  readonly globalAdmin: boolean
  readonly username: string
}

/** Users and the tokens they were given. Without the option `auth` everything is allowed. */
export class TokenStore {
  readonly #tokens = new Map<string, { username: string; expiresAt: number }>()

  constructor(
    private readonly auth: ResolvedOptions['auth'],
    private readonly now: () => number,
  ) {}

  get required(): boolean {
    return this.auth !== undefined
  }

  /** Undefined: wrong user or password. Without `auth` anyone gets a token. */
  login(username: string, password: string): Login | undefined {
    if (this.auth !== undefined && this.auth.users.get(username) !== password) return undefined
    const tokenTtl = this.auth?.tokenTtlSeconds ?? 18_000
    const accessToken = randomBytes(24).toString('base64url')
    this.#tokens.set(accessToken, { username, expiresAt: this.now() + tokenTtl * 1000 })
    return { accessToken, tokenTtl, globalAdmin: !this.#isReader(username), username }
  }

  /** Why this token may not do that; undefined when it may. */
  refusal(token: string | undefined, action: 'read' | 'write'): Refusal | undefined {
    if (this.auth === undefined) return undefined
    if (token === undefined || token === '') return 'missing'
    const entry = this.#tokens.get(token)
    if (entry === undefined) return 'invalid'
    if (this.now() >= entry.expiresAt) return 'expired'
    return action === 'write' && this.#isReader(entry.username) ? 'forbidden' : undefined
  }

  /** All tokens given so far end now; what was registered and subscribed with them lives on. */
  expireAll(): void {
    for (const entry of this.#tokens.values()) entry.expiresAt = 0
  }

  #isReader(username: string): boolean {
    return this.auth?.readers.has(username) === true
  }
}
