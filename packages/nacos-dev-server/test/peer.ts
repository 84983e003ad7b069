import { Client, type ClientDuplexStream, credentials, type ServiceError } from '@grpc/grpc-js'
import { decodePayload, encodePayload, type Payload } from '../src/transport/payload.js'

/** A message that a server sent over the stream. */
export interface Pushed {
  readonly type: string
  readonly body: any
}

/** A raw peer: one connection, no retries, answers a push only when told to. */
export class Peer {
  readonly pushed: Pushed[] = []
  readonly #client: Client
  readonly #waiting = new Set<() => void>()
  #stream: ClientDuplexStream<Payload, Payload> | undefined
  #lastId = 0
  streamEnded: Promise<number> | undefined
  /** What the peer answers pushes with; undefined: nothing. */
  answerPush: ((push: Pushed) => { type: string; body: object } | undefined) | undefined = push => ({
    type: push.type.replace(/Request$/, 'Response'),
    body: { requestId: push.body.requestId, resultCode: 200 },
  })

  constructor(address: string, channel = credentials.createInsecure()) {
    // Its own pool: grpc-js would let two peers of one process share a connection, and so a session.
    this.#client = new Client(address, channel, { 'grpc.use_local_subchannel_pool': 1 })
  }

  /** Connects and sets up; with abilities it waits for the `SetupAckRequest`. */
  static async setUp(address: string, { abilities = true, module = 'naming' } = {}): Promise<Peer> {
    const peer = new Peer(address)
    await peer.handshake({ abilities, module })
    return peer
  }

  async handshake({ abilities = true, module = 'naming' } = {}): Promise<any> {
    const check = await this.ask('ServerCheckRequest')
    this.openStream()
    this.send('ConnectionSetupRequest', {
      clientVersion: 'Nacos-Test-Peer:v1',
      tenant: '',
      labels: { source: 'sdk', module },
      ...(abilities && { abilityTable: {} }),
    })
    if (abilities && check.body.supportAbilityNegotiation === true) await this.next('SetupAckRequest')
    else while ((await this.ask('HealthCheckRequest')).body.errorCode === 301);
    return check
  }

  openStream(): void {
    const stream = this.#client.makeBidiStreamRequest('/BiRequestStream/requestBiStream', encodePayload, decodePayload)
    this.#stream = stream
    this.streamEnded = new Promise(resolve => stream.on('status', status => resolve(status.code)))
    stream.on('error', () => {})
    stream.on('data', (payload: Payload) => {
      const push = { type: payload.type, body: JSON.parse(payload.body.toString()) }
      this.pushed.push(push)
      const answer = push.type === 'SetupAckRequest' ? undefined : this.answerPush?.(push)
      if (answer !== undefined) this.send(answer.type, answer.body)
      for (const look of [...this.#waiting]) look()
    })
  }

  endStream(): void {
    this.#stream?.end()
  }

  send(type: string, body: object): void {
    this.#stream?.write(toPayload(type, JSON.stringify(body)))
  }

  /** A unary request; a string body is sent as it is. Rejects with the gRPC error. */
  ask(type: string, body: object | string = {}, token?: string): Promise<Pushed> {
    const text =
      typeof body === 'string' ? body : JSON.stringify({ headers: {}, requestId: String(++this.#lastId), ...body })
    return new Promise((resolve, reject) => {
      const done = (error: ServiceError | null, answer?: Payload): void => {
        if (error !== null || answer === undefined) reject(error)
        else resolve({ type: answer.type, body: JSON.parse(answer.body.toString()) })
      }
      this.#client.makeUnaryRequest(
        '/Request/request',
        encodePayload,
        decodePayload,
        toPayload(type, text, token),
        done,
      )
    })
  }

  /** Takes the first push that matches; the others stay, so that tests can say what must not have come. */
  async next(type: string, matches: (body: any) => boolean = () => true): Promise<any> {
    for (;;) {
      const index = this.pushed.findIndex(push => push.type === type && matches(push.body))
      if (index >= 0) return this.pushed.splice(index, 1)[0]?.body
      await new Promise<void>(resolve => {
        const look = (): void => {
          this.#waiting.delete(look)
          resolve()
        }
        this.#waiting.add(look)
      })
    }
  }

  /** The next pushed list of a service with exactly these ports. */
  async ports(service: string, ...ports: number[]): Promise<any> {
    const wanted = [...ports].sort().join()
    const isIt = (body: any): boolean => body.serviceInfo.name === service && portsOf(body.serviceInfo) === wanted
    return (await this.next('NotifySubscriberRequest', isIt)).serviceInfo
  }

  close(): void {
    this.#client.close()
    this.#stream?.cancel()
  }
}

export function portsOf(serviceInfo: any): string {
  return serviceInfo.hosts
    .map((host: any) => host.port)
    .sort()
    .join()
}

/** The fields that name a service in a request. */
export function named(serviceName: string, groupName = 'DEFAULT_GROUP', namespace = 'public'): object {
  return { namespace, serviceName, groupName, module: 'naming' }
}

export function instance(port: number, fields: object = {}): object {
  return {
    ip: '10.0.0.1',
    port,
    weight: 1,
    healthy: true,
    enabled: true,
    ephemeral: true,
    clusterName: 'DEFAULT',
    metadata: {},
    ...fields,
  }
}

export const register = (service: string, port: number, fields: object = {}): [string, object] => [
  'InstanceRequest',
  { ...named(service), type: 'registerInstance', instance: instance(port, fields) },
]

export const deregister = (service: string, port: number): [string, object] => [
  'InstanceRequest',
  { ...named(service), type: 'deregisterInstance', instance: instance(port) },
]

export const subscribe = (service: string, isOn = true): [string, object] => [
  'SubscribeServiceRequest',
  { ...named(service), clusters: '', subscribe: isOn },
]

function toPayload(type: string, body: string, token?: string): Payload {
  const headers = new Map(token === undefined ? [] : [['accessToken', token] as const])
  return { type, headers, clientIp: '127.0.0.1', body: Buffer.from(body) }
}
