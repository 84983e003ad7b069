import http, { type IncomingMessage, type ServerResponse } from 'node:http'
import https from 'node:https'
import { cert, key } from '../certificate.js'
import { listen, type Teardown } from '../listen.js'

/** A request as it arrived. */
export interface Seen {
  readonly instance: string
  readonly method: string
  readonly url: string
  readonly host: string | undefined
  /** All lines of the lane header. */
  readonly tags: string[]
  readonly baggage: string | undefined
  readonly headers: IncomingMessage['headers']
  readonly rawHeaders: string[]
  readonly body: string
  readonly servername: string | undefined
  /** Counts the connections of the server. */
  readonly socket: number
}

export interface SeenServer {
  readonly port: number
  readonly seen: Seen[]
  readonly server: http.Server | https.Server
  /** How many are open. */
  connections(): number
}

export type Answer = (seen: Seen, response: ServerResponse, request: IncomingMessage) => void

const echo: Answer = (one, response) => {
  response.setHeader('content-type', 'application/json')
  response.end(JSON.stringify(one))
}

/**
 * A server that notes the requests it gets, and answers each one with what it saw.
 *
 * @param instance - its name in `seen`
 * @param secure - speaks TLS, with the certificate for `sc-b`
 */
export async function seenServer(t: Teardown, instance: string, answer = echo, secure = false): Promise<SeenServer> {
  const seen: Seen[] = []
  const sockets = new Map<unknown, number>()
  const handler = async (request: IncomingMessage, response: ServerResponse) => {
    const chunks: Buffer[] = []
    try {
      for await (const chunk of request) chunks.push(chunk as Buffer)
    } catch {
      return // the caller has gone
    }
    const { headers, rawHeaders, socket } = request
    const one: Seen = {
      instance,
      method: request.method ?? '',
      url: request.url ?? '',
      host: headers.host,
      tags: rawHeaders.filter((_, index) => index % 2 === 1 && rawHeaders[index - 1]!.toLowerCase() === 'x-mse-tag'),
      baggage: headers['baggage'] as string | undefined,
      headers,
      rawHeaders,
      body: Buffer.concat(chunks).toString(),
      servername: (socket as { servername?: string }).servername || undefined,
      socket: sockets.get(socket) ?? sockets.set(socket, sockets.size).size - 1,
    }
    seen.push(one)
    answer(one, response, request)
  }
  const server = secure ? https.createServer({ key, cert }, handler) : http.createServer(handler)
  let connections = 0
  server.on(secure ? 'secureConnection' : 'connection', socket => {
    connections++
    socket.on('close', () => connections--)
  })
  return { port: await listen(t, server), seen, server, connections: () => connections }
}

/** A port at which nothing listens. */
export async function closedPort(): Promise<number> {
  const server = http.createServer()
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  await new Promise(resolve => server.close(resolve))
  return port
}

/** A `lookup` for which every name is this machine: tests name third parties and never reach them. */
export const loopback = (_host: string, options: { all?: boolean }, callback: (...args: any[]) => void): void => {
  if (options.all === true) callback(null, [{ address: '127.0.0.1', family: 4 }])
  else callback(null, '127.0.0.1', 4)
}
