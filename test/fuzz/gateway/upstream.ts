import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'

/** How the upstream treats a request: the first part of its path, `/<behaviour>/<id>/<number>`. */
export type Behaviour =
  | 'echo'
  | 'chunks'
  | 'slow'
  | 'big'
  | 'events'
  | 'early'
  | 'twice'
  | 'unchanged'
  | 'reset'
  | 'break'
  | 'tunnel'
  | 'refuse'

/** The service behind the gateway. What it answers says which request it is for. */
export interface Upstream {
  readonly port: number
  /** Connections that are open now. */
  readonly sockets: number
  /** Requests whose path and `x-id` were of two requests. */
  readonly mixed: readonly string[]
  close(): void
}

/** What the upstream says of a request with a body of so many bytes. */
export function bodyOf(id: string, bytes: number, fill: number): string {
  return `${id} ${bytes} ${'x'.repeat(fill)}`
}

export async function startUpstream(): Promise<Upstream> {
  const open = new Set<Socket>()
  const mixed: string[] = []
  const server = createServer((request, response) => {
    answer(request, response, mixed).catch(() => response.destroy())
  })
  // For ever: a socket that it closes while the gateway uses it again would be a fault of neither. And without a header
  // `Keep-Alive` of its own, which the gateway would follow.
  server.keepAliveTimeout = 0
  server.requestTimeout = 0
  server.headersTimeout = 600_000
  server.on('connection', socket => {
    open.add(socket)
    socket.on('error', () => {})
    socket.on('close', () => open.delete(socket))
  })
  server.on('upgrade', (request: IncomingMessage, socket: Socket, head: Buffer) => {
    socket.on('error', () => {})
    const { behaviour, id } = read(request)
    if (behaviour !== 'tunnel') {
      socket.end(`HTTP/1.1 403 Forbidden\r\nx-id: ${id}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n`)
      return
    }
    socket.write(`HTTP/1.1 101 Switching Protocols\r\nx-id: ${id}\r\nconnection: Upgrade\r\nupgrade: websocket\r\n\r\n`)
    if (head.length > 0) socket.write(head)
    socket.pipe(socket)
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', 1024, resolve))
  return {
    port: (server.address() as AddressInfo).port,
    get sockets() {
      return open.size
    },
    mixed,
    close() {
      server.close()
      for (const socket of open) socket.destroy()
    },
  }
}

function read(request: IncomingMessage): { behaviour: string; id: string; number: number } {
  const [, behaviour = '', id = '', number = '0'] = (request.url ?? '').split('/')
  return { behaviour, id, number: Number(number) }
}

async function answer(request: IncomingMessage, response: ServerResponse, mixed: string[]): Promise<void> {
  const { behaviour, id, number } = read(request)
  if (request.headers['x-id'] !== id)
    mixed.push(`${request.method} ${request.url} came with x-id ${request.headers['x-id']}`)
  request.on('error', () => {})
  response.setHeader('x-id', id)
  if (behaviour === 'early') {
    // Before the body, which nobody reads then.
    response.end(bodyOf(id, 0, 0))
    return
  }
  let bytes = 0
  for await (const chunk of request) bytes += (chunk as Buffer).length
  switch (behaviour) {
    case 'reset':
      request.socket.resetAndDestroy()
      return
    case 'break':
      response.writeHead(200, number === 0 ? { 'content-length': 1000 } : {})
      response.write('begun')
      setTimeout(() => request.socket.destroy(), number)
      return
    case 'unchanged':
      response.writeHead(304, { etag: '"1"', 'content-length': 1000 }).end()
      return
    case 'twice':
      response.writeHead(200, [
        ...['x-id', id, 'ETag', '"1"', 'ETag', '"2"', 'Content-Type', 'text/plain', 'content-type', 'text/html'],
        ...['X-Content-Type-Options', 'nosniff', 'X-Content-Type-Options', 'nosniff'],
      ])
      response.end(bodyOf(id, bytes, 0))
      return
    case 'slow':
      setTimeout(() => response.end(bodyOf(id, bytes, 0)), number)
      return
    case 'events':
      response.flushHeaders()
      setTimeout(() => response.end(bodyOf(id, bytes, 0)), number)
      return
    case 'chunks':
      for (const part of bodyOf(id, bytes, number)) response.write(part)
      response.end()
      return
    case 'big':
      response.end(bodyOf(id, bytes, number * 1000))
      return
    default: {
      const body = bodyOf(id, bytes, number)
      response.setHeader('content-length', Buffer.byteLength(body))
      response.end(body)
    }
  }
}
