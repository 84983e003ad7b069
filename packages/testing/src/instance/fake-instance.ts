import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { laneServer } from '@laneway/http'
import { laneText } from '../lane-values.js'
import type { FakeRequest } from './fake-request.js'

/**
 * What a stub instance answers: a text, an object that is sent as JSON, or a function as for `http.createServer`, such as
 * an application of Express. What a function returns is sent too, unless it has begun to answer itself.
 */
export type FakeAnswer = string | object | ((request: IncomingMessage, response: ServerResponse) => unknown)

/** A stub instance that listens. */
export interface FakeInstance {
  readonly port: number
  close(): Promise<void>
}

/**
 * Starts a stub instance on a free port of 127.0.0.1. Its function runs in the lane of the request.
 *
 * @param arrived - called with each request before it is answered
 */
export async function startInstance(
  service: string,
  instance: string,
  answer: FakeAnswer,
  header: string,
  arrived: (request: FakeRequest) => void,
): Promise<FakeInstance> {
  const server = createServer((request, response) => {
    const { method = 'GET', url = '/', headers } = request
    arrived(Object.freeze({ service, instance, lane: laneText(request, header), method, url, headers }))
    void respond(answer, request, response)
  })
  // Its callers are this process; what LANEWAY_TAG says is about the code under test.
  laneServer(server, { trust: 'internal', header, tag: instance })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', resolve)
  })
  return { port: (server.address() as AddressInfo).port, close: () => closed(server) }
}

async function respond(answer: FakeAnswer, request: IncomingMessage, response: ServerResponse): Promise<void> {
  try {
    const content = typeof answer === 'function' ? await answer(request, response) : answer
    if (content === undefined || response.headersSent || response.writableEnded) return
    if (typeof content === 'string') response.end(content)
    else response.setHeader('content-type', 'application/json').end(JSON.stringify(content))
  } catch (error) {
    if (!response.headersSent) response.statusCode = 500
    response.end(String(error))
  }
}

function closed(server: Server): Promise<void> {
  return new Promise(resolve => {
    server.close(() => resolve())
    // Clients keep their connections open, and would keep the test runner alive.
    server.closeAllConnections()
  })
}
