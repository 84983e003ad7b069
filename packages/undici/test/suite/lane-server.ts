import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { listen } from '@laneway/testkit'

export type Teardown = Parameters<typeof listen>[0]

/** A request as it arrived. */
export interface Seen {
  readonly instance: string
  readonly method: string
  readonly url: string
  readonly host: string | undefined
  /** All lines of the lane header. */
  readonly tags: readonly string[]
  readonly baggage: string | undefined
  readonly headers: IncomingMessage['headers']
  readonly body: string
}

export interface LaneServer {
  readonly port: number
  readonly seen: Seen[]
}

/** A server that says what it saw, in the response and in `seen`. */
export async function laneServer(
  t: Teardown,
  instance: string,
  answer: (seen: Seen, response: ServerResponse, request: IncomingMessage) => void = (one, response) => {
    response.setHeader('content-type', 'application/json')
    response.end(JSON.stringify(one))
  },
): Promise<LaneServer> {
  const seen: Seen[] = []
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    try {
      for await (const chunk of request) chunks.push(chunk as Buffer)
    } catch {
      return // the caller has gone: nothing was asked
    }
    const { rawHeaders } = request
    const one: Seen = {
      instance,
      method: request.method ?? '',
      url: request.url ?? '',
      host: request.headers.host,
      tags: rawHeaders.filter((_, index) => index % 2 === 1 && rawHeaders[index - 1]!.toLowerCase() === 'x-mse-tag'),
      baggage: request.headers['baggage'] as string | undefined,
      headers: request.headers,
      body: Buffer.concat(chunks).toString(),
    }
    seen.push(one)
    answer(one, response, request)
  })
  return { port: await listen(t, server), seen }
}
