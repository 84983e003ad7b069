import type { IncomingMessage, ServerResponse } from 'node:http'
import type { IngressOptions, Lane } from '@laneway/core'
import type { Test } from 'tap'
import { rawRequest } from './raw-request.js'

/** A request as a handler under test sees it. */
export interface SuiteCall {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  /** What the adapter's own property says, e.g. `req.lane`. */
  readonly lane: Lane | undefined
  /** Reads the body the way that users of this framework do. */
  readonly body: () => Promise<string>
}

/** Answers a request with JSON; a rejection is the framework's to handle. */
export type SuiteHandler = (call: SuiteCall) => Promise<unknown>

/** What the suite sends. */
export interface SuiteRequest {
  readonly method?: 'GET' | 'POST'
  /** @default '/' */
  readonly path?: string
  readonly headers: readonly (readonly [name: string, value: string])[]
  readonly body?: string
}

/** A server under test. */
export interface SuiteTarget {
  send(request: SuiteRequest): Promise<{ status: number; body: string; whole: string }>
  /** Absent when there is no socket, as with `inject()`. */
  readonly port?: number
}

/** An ingress adapter under test. */
export interface IngressAdapter {
  readonly name: string
  /**
   * Serves a handler at every path and method behind the adapter, until the test ends. The server's parser has to be
   * lenient (`insecureHTTPParser`) and to take bodies of type `text/plain`.
   */
  serve(t: Test, options: IngressOptions, handler: SuiteHandler): Promise<SuiteTarget>
  /** Why a request cannot be sent this way at all. */
  cannotSend?(lines: readonly string[]): string | undefined
}

/** Sends each request over a connection of its own, byte for byte as given. */
export function overSocket(port: number): SuiteTarget {
  return {
    port,
    async send(request) {
      const whole = await rawRequest(port, requestBytes(request, 'close'))
      const end = whole.indexOf('\r\n\r\n')
      return { status: Number(whole.slice(9, 12)), body: whole.slice(end + 4), whole }
    },
  }
}

/** An HTTP/1.1 request on the wire. */
export function requestBytes({ method = 'GET', path = '/', headers, body }: SuiteRequest, connection: string): string {
  let text = `${method} ${path} HTTP/1.1\r\nHost: sc-a\r\nConnection: ${connection}\r\n`
  for (const [name, value] of headers) text += `${name}: ${value}\r\n`
  if (body !== undefined) text += `Content-Type: text/plain\r\nContent-Length: ${Buffer.byteLength(body)}\r\n`
  return `${text}\r\n${body ?? ''}`
}
