import type { ConnectionOptions } from 'node:tls'
import { LanewayError } from '@laneway/core'
import { type Message, Transport } from '../wire/transport.js'
import type { ServerAddress } from './servers.js'

/** What the server says on the bi-stream, after it was acknowledged. */
export type PushHandler = (message: Message) => void

export interface SessionOptions {
  readonly server: ServerAddress
  readonly tls: ConnectionOptions | undefined
  /** Whether the connection keeps the process alive. */
  readonly keepsProcess: boolean
  readonly appName: string
  /** Of the program, with their prefix. */
  readonly labels: Readonly<Record<string, string>>
  readonly clientVersion: string
  /** Limit of a unary call, and of connecting. */
  readonly requestTimeoutMs: number
  /** A unary call goes out when the last answer is older. */
  readonly healthIntervalMs: number
  readonly onPush: PushHandler
  readonly onEnd: (session: Session, error: LanewayError) => void
}

/** Java's own wait where no acknowledgement exists: 2.0 to 2.2, r-nacos. Too early earns 301, which is retried. */
const NO_ACK_MS = 100

/**
 * One registered connection. `open` resolves when the server has accepted the client; from then on the session is alive
 * until `onEnd`, which is called exactly once.
 */
export class Session {
  readonly server: ServerAddress
  /** The server's name for this connection. */
  id = ''
  /** What the server can do beyond the base protocol; empty where it does not negotiate. */
  abilities: ReadonlySet<string> = new Set()
  /**
   * r-nacos adds a second instance or a batch to what a connection registered, and takes out only what a deregistration
   * names; Nacos itself replaces the one and empties the other. Its connection ids have another form.
   */
  addsInstances = false
  /** When the session was accepted, for the tolerance of early 301s. */
  openedAt = 0
  readonly #options: SessionOptions
  readonly #transport: Transport
  #health: NodeJS.Timeout | undefined
  #lastAnswerAt = 0
  #checking = false
  #onSetupAck: ((message: Message) => void) | undefined
  #onAbort: ((error: LanewayError) => void) | undefined
  #requestId = 0
  #ended: LanewayError | undefined
  #open = false

  private constructor(options: SessionOptions) {
    this.server = options.server
    this.#options = options
    this.#transport = new Transport({
      host: options.server.host,
      port: options.server.grpcPort,
      tls: options.tls,
      keepsProcess: options.keepsProcess,
      onEnd: error => this.#onEnd(error),
      onPush: message => this.#onPush(message),
    })
  }

  /**
   * Connects and shakes hands.
   *
   * @throws LanewayError `LANEWAY_NACOS_UNAVAILABLE`; the connection is closed then
   */
  static async open(options: SessionOptions): Promise<Session> {
    const session = new Session(options)
    try {
      await session.#handshake()
    } catch (error) {
      session.end('the handshake failed')
      throw error
    }
    return session
  }

  get ended(): boolean {
    return this.#ended !== undefined
  }

  get localAddress(): string | undefined {
    return this.#transport.localAddress
  }

  async #handshake(): Promise<void> {
    const check = await this.request('ServerCheckRequest', 'internal', {}, {})
    // 300: a starting Java server listens some seconds before it works.
    if (check.type !== 'ServerCheckResponse' || check.body['resultCode'] !== 200) throw this.#unfit(check)
    this.id = String(check.body['connectionId'] ?? '')
    this.addsInstances = !/^\d+_.*_\d+$/.test(this.id)
    this.#transport.openStream()
    const negotiates = check.body['supportAbilityNegotiation'] === true
    const acknowledged = this.#setupAck(negotiates)
    this.#transport.send('ConnectionSetupRequest', {
      headers: {},
      requestId: this.#nextId(),
      module: 'internal',
      clientVersion: this.#options.clientVersion,
      tenant: '',
      // "sdk" makes the server count this as a client, not as a server of its cluster. The module must be naming: a
      // naming connection also serves configuration, the other way round instances are not registered.
      labels: { ...this.#options.labels, source: 'sdk', module: 'naming', AppName: this.#options.appName },
      // Even empty it must be there, else no SetupAckRequest comes.
      abilityTable: {},
    })
    await acknowledged
    if (this.#ended !== undefined) throw this.#ended
    this.#open = true
    this.openedAt = Date.now()
    this.#lastAnswerAt = this.openedAt
    this.#health = setInterval(() => this.#checkWhenIdle(), Math.max(10, this.#options.healthIntervalMs / 5))
    this.#health.unref()
  }

  #setupAck(negotiates: boolean): Promise<void> {
    const { requestTimeoutMs } = this.#options
    return new Promise((resolve, reject) => {
      const timer = negotiates
        ? setTimeout(() => reject(this.#failure(`no SetupAckRequest within ${requestTimeoutMs} ms`)), requestTimeoutMs)
        : setTimeout(resolve, NO_ACK_MS)
      // The acknowledgement has no requestId and wants no answer.
      this.#onSetupAck = message => {
        clearTimeout(timer)
        const table = message.body['abilityTable']
        const entries = typeof table === 'object' && table !== null ? Object.entries(table) : []
        this.abilities = new Set(entries.filter(([, able]) => able === true).map(([name]) => name))
        resolve()
      }
      this.#onAbort = error => {
        clearTimeout(timer)
        reject(error)
      }
    })
  }

  /**
   * One unary call. The answer may be a refusal: look at `resultCode` and `errorCode`. Answers are not matched by
   * `requestId`: Java servers send none, r-nacos sometimes an empty one.
   *
   * @throws LanewayError as {@link Transport.unary}
   */
  async request(
    type: string,
    module: string,
    body: object,
    headers: Readonly<Record<string, string>>,
    timeoutMs = this.#options.requestTimeoutMs,
  ): Promise<Message> {
    const sent = { headers: {}, requestId: this.#nextId(), module, ...body }
    try {
      const answer = await this.#transport.unary(type, sent, headers, timeoutMs)
      this.#lastAnswerAt = Date.now()
      return answer
    } catch (error) {
      // A call that failed on a living connection: is it alive?
      if (this.#open && this.#ended === undefined) void this.#check()
      throw error
    }
  }

  /** Ends the connection at once. Idempotent. */
  end(why: string): void {
    this.#transport.end(why)
  }

  #checkWhenIdle(): void {
    // Pushes do not count: servers from 2.3 drop a connection that was silent for 20 s even when it answers
    // their ClientDetectionRequest, so that only unary calls of our own keep it.
    if (Date.now() - this.#lastAnswerAt >= this.#options.healthIntervalMs) void this.#check()
  }

  /** Two failures in a row end the session. With the defaults a half-open connection is noticed within 12 s. */
  async #check(): Promise<void> {
    if (this.#checking) return
    this.#checking = true
    let failure: unknown
    for (let attempt = 0; attempt < 2 && this.#ended === undefined; attempt++) {
      try {
        const timeoutMs = this.#options.requestTimeoutMs
        const answer = await this.#transport.unary(
          'HealthCheckRequest',
          { headers: {}, requestId: this.#nextId() },
          {},
          timeoutMs,
        )
        this.#lastAnswerAt = Date.now()
        // 301: the server has forgotten this connection, though TCP lives.
        if (answer.body['resultCode'] !== 200)
          this.end(`the server refused the health check: ${describeAnswer(answer)}`)
        this.#checking = false
        return
      } catch (error) {
        failure = error
      }
    }
    this.#checking = false
    this.end(`the health check failed: ${(failure as Error | undefined)?.message}`)
  }

  #onPush(message: Message): void {
    const { type, body } = message
    if (type === 'SetupAckRequest') {
      this.#onSetupAck?.(message)
      return
    }
    // First the answer, with success, whatever becomes of the content: Nacos repeats a push that was answered with an
    // error every second without end, and one that was not answered every 6 s.
    const known = ACKNOWLEDGED.has(type)
    this.#transport.send(known ? type.replace(/Request$/, 'Response') : 'ErrorResponse', {
      ...(type === 'ClientConfigMetricRequest' && { metrics: {} }),
      requestId: body['requestId'],
      resultCode: known ? 200 : 500,
      errorCode: known ? 0 : 302,
      message: known ? 'success' : `this client does not know ${type}`,
    })
    if (known && this.#ended === undefined) this.#options.onPush(message)
  }

  #onEnd(error: LanewayError): void {
    this.#ended = error
    clearInterval(this.#health)
    this.#onAbort?.(error)
    if (this.#open) this.#options.onEnd(this, error)
  }

  #unfit(answer: Message): LanewayError {
    return this.#failure(`the server is not ready: ${describeAnswer(answer)}`)
  }

  #failure(text: string): LanewayError {
    return new LanewayError('LANEWAY_NACOS_UNAVAILABLE', `${this.#transport.address}: ${text}`)
  }

  #nextId(): string {
    return String(++this.#requestId)
  }
}

const ACKNOWLEDGED: ReadonlySet<string> = new Set([
  'NotifySubscriberRequest',
  'ConfigChangeNotifyRequest',
  'ClientDetectionRequest',
  'ConnectResetRequest',
  'ClientConfigMetricRequest',
])

/** A refusal in words: type, code and the server's text. */
export function describeAnswer(answer: Message): string {
  const { resultCode, errorCode, message } = answer.body
  return `${answer.type} ${String(errorCode ?? resultCode)} ${String(message ?? '')}`.trim()
}
