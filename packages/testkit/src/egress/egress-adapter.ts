import type { Warn } from '@laneway/core'
import type { LaneResolver } from '@laneway/discovery'
import type { Test } from 'tap'

/** The options that all egress adapters take. */
export interface SuiteEgressOptions {
  resolver?: LaneResolver
  header?: string
  propagateTo?: readonly string[]
  keepHandSet?: boolean
  baggage?: boolean | 'mse'
  warn?: Warn
}

/** A request that the suite makes. */
export interface EgressRequest {
  /** @default 'GET' */
  readonly method?: 'GET' | 'POST' | 'PATCH' | 'DELETE'
  /** A list stands for one line per value. */
  readonly headers?: Readonly<Record<string, string | readonly string[]>>
  readonly body?: string
  readonly signal?: AbortSignal
}

export interface EgressAnswer {
  readonly status: number
  readonly body: string
}

/** Makes a request. Rejects as the client does. */
export type EgressClient = (url: string, request?: EgressRequest) => Promise<EgressAnswer>

/** An egress adapter under test, with a client that uses it. */
export interface EgressAdapter {
  readonly name: string
  /**
   * Makes a client that lives until the test ends. It looks all names up with `loopback`, retries nothing, resolves with every
   * status, and follows no redirect.
   */
  client(t: Test, options: SuiteEgressOptions): EgressClient
  /** Makes a client that follows redirects. Absent where clients of the adapter cannot. */
  following?(t: Test, options: SuiteEgressOptions): EgressClient
  /** Unwraps the error of the client: gives that of Laneway or Node. @default the error itself */
  reason?(error: unknown): unknown
  /** What the client cannot send. @default nothing */
  readonly cannotSend?: readonly ('two lines' | 'a body with DELETE' | 'Host')[]
}
