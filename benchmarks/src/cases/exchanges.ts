import { IncomingMessage, ServerResponse } from 'node:http'
import { Socket } from 'node:net'
import type { Lane } from '@laneway/core'
import { context, propagation } from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import { CompositePropagator, W3CBaggagePropagator, W3CTraceContextPropagator } from '@opentelemetry/core'
import { expect } from '../case.js'

/** Requests of one batch. */
export const OPS = 256
const REQUESTS_PER_SOCKET = 64

export interface Exchange {
  readonly request: IncomingMessage & { lane?: Lane | undefined }
  readonly response: ServerResponse
  /** What Fastify hands to a hook. */
  readonly outer: { raw: IncomingMessage; lane: Lane | undefined }
  readonly reply: { raw: ServerResponse }
}

function loopbackSocket(): Socket {
  return Object.defineProperty(new Socket(), 'remoteAddress', { value: '127.0.0.1' })
}

/** Requests as a server has them when the first middleware runs; `headers` has been read once, as all frameworks do. */
export function exchanges(tagged: boolean): Exchange[] {
  let socket = loopbackSocket()
  return Array.from({ length: OPS }, (_, i) => {
    if (i % REQUESTS_PER_SOCKET === 0) socket = loopbackSocket()
    const request = new IncomingMessage(socket)
    request.method = 'GET'
    request.url = '/orders/7?full=1'
    const lines = ['Host', 'sc-a:8080', 'Accept', '*/*', 'User-Agent', 'bench']
    lines.push('traceparent', '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01')
    if (tagged)
      lines.push('x-mse-tag', Buffer.from('gray').toString())
      // As the parser does it: `headers` is made of what this counts, not of `rawHeaders`.
    ;(request as unknown as { _addHeaderLines(lines: string[], count: number): void })._addHeaderLines(
      lines,
      lines.length,
    )
    expect(request.headers.host === 'sc-a:8080', 'the request has no headers')
    const response = new ServerResponse(request)
    return { request, response, outer: { raw: request, lane: undefined }, reply: { raw: response } }
  })
}

/** The SDK's context manager and propagators, without anything that records. */
export function installOpenTelemetry(): void {
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable())
  propagation.setGlobalPropagator(
    new CompositePropagator({ propagators: [new W3CTraceContextPropagator(), new W3CBaggagePropagator()] }),
  )
}
