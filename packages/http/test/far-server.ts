import http, { type IncomingMessage, type ServerResponse } from 'node:http'
import https from 'node:https'
import { listen } from '@laneway/testkit'
import { cert, key } from '@laneway/testkit/certificate'
import type { Test } from 'tap'

/** A request as it came over the wire. */
export interface Seen {
  method: string
  url: string
  host: string | undefined
  /** Every line of the lane header. */
  tags: string[]
  baggage: string | undefined
  rawHeaders: string[]
  body: string
  servername: string | undefined
  socket: number
}

export interface FarServer {
  port: number
  seen: Seen[]
  server: http.Server | https.Server
  connections(): number
}

type Answer = (seen: Seen, request: IncomingMessage, response: ServerResponse) => void

const named: Answer = (seen, _request, response) => response.end(JSON.stringify(seen))

/** A server that notes what it was sent. */
export async function farServer(t: Test, answer: Answer = named, secure = false): Promise<FarServer> {
  const seen: Seen[] = []
  const sockets = new Map<unknown, number>()
  const handler = (request: IncomingMessage, response: ServerResponse) => {
    let body = ''
    request.on('data', chunk => {
      body += chunk
    })
    request.on('end', () => {
      const { rawHeaders } = request
      const one: Seen = {
        method: request.method ?? '',
        url: request.url ?? '',
        host: request.headers.host,
        tags: rawHeaders.filter((_, index) => index % 2 === 1 && rawHeaders[index - 1]?.toLowerCase() === 'x-mse-tag'),
        baggage: request.headers['baggage'] as string | undefined,
        rawHeaders,
        body,
        servername: (request.socket as { servername?: string }).servername || undefined,
        socket: sockets.get(request.socket) ?? sockets.set(request.socket, sockets.size).size - 1,
      }
      seen.push(one)
      answer(one, request, response)
    })
  }
  const server = secure ? https.createServer({ key, cert }, handler) : http.createServer(handler)
  let connections = 0
  server.on(secure ? 'secureConnection' : 'connection', socket => {
    connections++
    socket.on('close', () => connections--)
  })
  return { port: await listen(t, server), seen, server, connections: () => connections }
}

/** A port at which nobody listens. */
export async function closedPort(t: Test): Promise<number> {
  const server = http.createServer()
  const port = await listen(t, server)
  await new Promise(resolve => server.close(resolve))
  return port
}

export interface Answered {
  status: number
  text: string
  response: IncomingMessage
}

/** `http.request` with a promise; `https` by the protocol. */
export function send(url: string, options: http.RequestOptions = {}, body?: string): Promise<Answered> {
  return new Promise((resolve, reject) => {
    const request = (url.startsWith('https:') ? https : http).request(url, options, response => {
      let text = ''
      response.on('data', chunk => {
        text += chunk
      })
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text, response }))
      response.on('error', reject)
    })
    request.on('error', reject)
    request.end(body)
  })
}

/** Any name resolves to loopback. */
export const lookup = (_host: string, options: { all?: boolean }, callback: (...args: any[]) => void) =>
  options.all === true ? callback(null, [{ address: '127.0.0.1', family: 4 }]) : callback(null, '127.0.0.1', 4)
