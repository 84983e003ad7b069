import { once } from 'node:events'
import { createServer, type Http2Server, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2'
import type { AddressInfo, Socket } from 'node:net'
import { BinaryReader, BinaryWriter, WireType } from '@bufbuild/protobuf/wire'

/** A small Nacos stand-in for wire faults. Its codec is not ours, so that the two can disagree. */
export interface Received {
  readonly type: string
  readonly via: 'unary' | 'stream'
  readonly headers: Record<string, string>
  readonly clientIp: string
  readonly body: any
  readonly connection: RawConnection
}

export type Answer = { type: string; body: unknown } | undefined
type Handler = (received: Received) => Answer | Promise<Answer>

export function ok(type: string, body: object = {}): Answer {
  return { type, body: { resultCode: 200, errorCode: 0, ...body } }
}

export function refused(errorCode: number, message = 'refused', type = 'ErrorResponse'): Answer {
  return { type, body: { resultCode: 500, errorCode, message } }
}

export function host(ip: string, port: number, metadata: Record<string, string> = {}, more: object = {}): object {
  return {
    ip,
    port,
    weight: 1,
    healthy: true,
    enabled: true,
    ephemeral: true,
    clusterName: 'DEFAULT',
    metadata,
    ...more,
  }
}

export function serviceInfo(name: string, hosts: object[], more: object = {}): object {
  return { name, groupName: 'DEFAULT_GROUP', clusters: '', hosts, lastRefTime: Date.now(), ...more }
}

export class RawConnection {
  readonly session: ServerHttp2Session
  readonly received: Received[] = []
  stream: ServerHttp2Stream | undefined
  closed = false

  constructor(session: ServerHttp2Session) {
    this.session = session
    session.on('close', () => {
      this.closed = true
    })
  }

  push(type: string, body: object): void {
    this.stream?.write(encode(type, JSON.stringify(body)))
  }

  /** What came of one type. */
  of(type: string): Received[] {
    return this.received.filter(one => one.type === type)
  }
}

let ids = 0

export class RawServer {
  readonly connections: RawConnection[] = []
  /** By request type; the returned answer is sent, `undefined` is silence. */
  readonly handlers: Record<string, Handler> = {}
  readonly received: Received[] = []
  /** `false`: as 2.2 and r-nacos, which do not negotiate. */
  negotiates = true
  /** `false`: announces the acknowledgement and never sends it. */
  acknowledges = true
  hosts: object[] = []
  port = 0
  readonly #sockets = new Set<Socket>()
  #server: Http2Server | undefined

  /** Listens on the port; in tests the gRPC port is the main port plus 0. */
  async start(port = 0): Promise<this> {
    const server = createServer({ maxSessionMemory: 100 })
    this.#server = server
    server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket)
      socket.on('close', () => this.#sockets.delete(socket))
    })
    server.on('session', session => {
      const connection = new RawConnection(session)
      this.connections.push(connection)
      session.on('error', () => {})
      session.on('stream', (stream, headers) => {
        stream.on('error', () => {})
        void (headers[':path'] === '/Request/request'
          ? this.#unary(connection, stream)
          : this.#bidi(connection, stream))
      })
    })
    server.listen(port, '127.0.0.1')
    await once(server, 'listening')
    this.port = (server.address() as AddressInfo).port
    return this
  }

  get address(): string {
    return `127.0.0.1:${this.port}`
  }

  get open(): RawConnection[] {
    return this.connections.filter(connection => !connection.closed)
  }

  async stop(): Promise<void> {
    const server = this.#server
    if (server === undefined) return
    this.#server = undefined
    for (const socket of this.#sockets) socket.destroy()
    await new Promise(resolve => server.close(resolve))
  }

  /** Kills TCP of all connections, as a network does. */
  kill(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy()
  }

  /** Waits until `test` says something, here or at a client: looked at every few milliseconds. */
  until<T>(test: () => T | undefined | false | null | 0): Promise<T> {
    return new Promise(resolve => {
      const look = (): void => {
        const found = test()
        if (found) resolve(found)
        else setTimeout(look, 2)
      }
      look()
    })
  }

  /** The n-th message of a type (from 1) on any connection. */
  message(type: string, n = 1): Promise<Received> {
    return this.until(() => this.received.filter(one => one.type === type)[n - 1])
  }

  async #unary(connection: RawConnection, stream: ServerHttp2Stream): Promise<void> {
    const chunks: Buffer[] = []
    stream.on('data', (chunk: Buffer) => chunks.push(chunk))
    await once(stream, 'end')
    const received = this.#record(connection, 'unary', Buffer.concat(chunks))
    const answer = await this.#answer(received)
    if (answer === undefined || stream.destroyed) return
    stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true })
    stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }))
    stream.end(encode(answer.type, JSON.stringify(answer.body)))
  }

  async #bidi(connection: RawConnection, stream: ServerHttp2Stream): Promise<void> {
    connection.stream = stream
    stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true })
    stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }))
    let rest = Buffer.alloc(0)
    stream.on('data', (chunk: Buffer) => {
      rest = Buffer.concat([rest, chunk])
      while (rest.length >= 5 && rest.length >= 5 + rest.readUInt32BE(1)) {
        const end = 5 + rest.readUInt32BE(1)
        const received = this.#record(connection, 'stream', rest.subarray(0, end))
        rest = rest.subarray(end)
        if (received.type !== 'ConnectionSetupRequest' || !this.negotiates || !this.acknowledges) continue
        connection.push('SetupAckRequest', {
          headers: {},
          abilityTable: { supportPersistentInstanceByGrpc: true },
          module: 'internal',
        })
      }
    })
  }

  #record(connection: RawConnection, via: 'unary' | 'stream', bytes: Buffer): Received {
    const received = { ...decode(bytes.subarray(5)), via, connection }
    connection.received.push(received)
    this.received.push(received)
    return received
  }

  async #answer(received: Received): Promise<Answer> {
    const handler = this.handlers[received.type]
    if (handler !== undefined) return await handler(received)
    const { type, body } = received
    if (type === 'ServerCheckRequest') {
      // The forms of Java servers and of r-nacos.
      const connectionId = `${Date.now()}_127.0.0.1_${++ids}`
      return ok('ServerCheckResponse', { connectionId, ...(this.negotiates && { supportAbilityNegotiation: true }) })
    }
    if (type === 'SubscribeServiceRequest') {
      return ok('SubscribeServiceResponse', { serviceInfo: serviceInfo(body.serviceName, this.hosts) })
    }
    if (type === 'ServiceQueryRequest')
      return ok('QueryServiceResponse', { serviceInfo: serviceInfo(body.serviceName, this.hosts) })
    return ok(
      type === 'ConfigBatchListenRequest' ? 'ConfigChangeBatchListenResponse' : type.replace(/Request$/, 'Response'),
    )
  }
}

export function encode(type: string, json: string, headers: Record<string, string> = {}): Buffer {
  const metadata = new BinaryWriter().tag(3, WireType.LengthDelimited).string(type)
  for (const [key, value] of Object.entries(headers)) {
    metadata.tag(7, WireType.LengthDelimited).fork().tag(1, WireType.LengthDelimited).string(key)
    metadata.tag(2, WireType.LengthDelimited).string(value).join()
  }
  const any = new BinaryWriter().tag(2, WireType.LengthDelimited).bytes(Buffer.from(json)).finish()
  const message = new BinaryWriter()
    .tag(2, WireType.LengthDelimited)
    .bytes(metadata.finish())
    .tag(3, WireType.LengthDelimited)
    .bytes(any)
    .finish()
  const prefix = Buffer.alloc(5)
  prefix.writeUInt32BE(message.length, 1)
  return Buffer.concat([prefix, message])
}

export function decode(bytes: Uint8Array): {
  type: string
  headers: Record<string, string>
  clientIp: string
  body: any
} {
  let type = ''
  let clientIp = ''
  let json = ''
  const headers: Record<string, string> = {}
  fields(bytes, (outer, part) => {
    if (outer === 2) {
      fields(part, (inner, value) => {
        if (inner === 3) type = text(value)
        if (inner === 8) clientIp = text(value)
        if (inner === 7) {
          const pair: string[] = []
          fields(value, (at, one) => {
            pair[at] = text(one)
          })
          headers[pair[1] ?? ''] = pair[2] ?? ''
        }
      })
    } else if (outer === 3) {
      fields(part, (inner, value) => {
        if (inner === 2) json = text(value)
      })
    }
  })
  return { type, clientIp, headers, body: json === '' ? undefined : JSON.parse(json) }
}

function fields(bytes: Uint8Array, onField: (number: number, value: Uint8Array) => void): void {
  const reader = new BinaryReader(bytes)
  while (reader.pos < reader.len) {
    const [number, wire] = reader.tag()
    if (wire === WireType.LengthDelimited) onField(number, reader.bytes())
    else reader.skip(wire)
  }
}

function text(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString()
}
