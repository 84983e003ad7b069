import { LanewayError, runInLane } from '@laneway/core'
import { backoffMs } from '@laneway/core/internal'
import type { Message } from '../wire/transport.js'
import type { Login } from './login.js'
import type { ResolvedNacosClientOptions } from './options.js'
import { Rechecks } from './rechecks.js'
import { type RequestExtras, requestOn } from './request-on.js'
import { type ServerAddress, ServerRing } from './servers.js'
import { Session } from './session.js'

/** A part of the client that uses the connection, and receives its sessions and pushes. */
export interface ConnectionUser {
  /** A new session is up. Nothing of an earlier session exists on it. Resolves when everything is registered again. */
  up(session: Session): Promise<void>
  /** The session was lost, or an attempt to connect failed. `up` may follow at once, or never. */
  down(error: LanewayError): void
  push(message: Message): void
}

/** After a session that lasted this long, the next attempt starts without delay. */
const GOOD_MS = 5_000

/**
 * Keeps one session to one of the servers: connects, fails over, moves when the server asks, and carries requests. All
 * its states are events of {@link ConnectionUser}; at any moment there is at most one current session.
 */
export class Connection {
  readonly options: ResolvedNacosClientOptions
  readonly rechecks: Rechecks
  readonly #login: Login | undefined
  readonly #users: ConnectionUser[] = []
  readonly #ring: ServerRing
  readonly #waiting = new Set<{ resolve: (session: Session) => void; reject: (error: LanewayError) => void }>()
  readonly #retiring = new Set<Session>()
  #session: Session | undefined
  #connecting = false
  #moving = false
  #failures = 0
  #warned = false
  #lastError: LanewayError | undefined
  #timer: NodeJS.Timeout | undefined
  #closed: LanewayError | undefined

  constructor(options: ResolvedNacosClientOptions, login: Login | undefined) {
    this.options = options
    this.rechecks = new Rechecks(options.recheckIntervalMs, options.random)
    this.#login = login
    this.#ring = new ServerRing(options.servers, options.random)
  }

  use(user: ConnectionUser): void {
    this.#users.push(user)
  }

  get session(): Session | undefined {
    return this.#session
  }

  /** Why there is no session; `undefined` while there is one, or before the first attempt has ended. */
  get lost(): LanewayError | undefined {
    return this.#session === undefined ? this.#lastError : undefined
  }

  get closed(): boolean {
    return this.#closed !== undefined
  }

  /** Begins to connect, and stays connected until `close`. Idempotent, never throws. */
  start(): void {
    if (this.#closed !== undefined || this.#session !== undefined) return
    // The first user may be inside a request; the connection outlives it and belongs to no lane.
    void runInLane(undefined, () => this.#connect(0))
  }

  /** @throws LanewayError `LANEWAY_NACOS_UNAVAILABLE` when there is none within the time, `LANEWAY_CLOSED` */
  ready(timeoutMs: number): Promise<Session> {
    if (this.#closed !== undefined) return Promise.reject(this.#closed)
    if (this.#session !== undefined) return Promise.resolve(this.#session)
    this.start()
    return new Promise((resolve, reject) => {
      const settle = (): void => {
        clearTimeout(timer)
        this.#waiting.delete(entry)
      }
      const entry = {
        resolve: (session: Session) => {
          settle()
          resolve(session)
        },
        reject: (error: LanewayError) => {
          settle()
          reject(error)
        },
      }
      const timer = setTimeout(
        () =>
          entry.reject(
            new LanewayError(
              'LANEWAY_NACOS_UNAVAILABLE',
              `no Nacos server within ${timeoutMs} ms at ${this.#names()}: ${this.#lastError?.text ?? 'no answer yet'}`,
              this.#lastError === undefined ? undefined : { cause: this.#lastError },
            ),
          ),
        timeoutMs,
      )
      if (!this.options.keepsProcess) timer.unref()
      this.#waiting.add(entry)
    })
  }

  /**
   * A request on whatever session there is, retried on the next one while `operationTimeoutMs` lasts.
   *
   * @param once - for what must not be sent twice
   * @param expected - error codes that are answers, not failures
   * @throws LanewayError `LANEWAY_NACOS_UNAVAILABLE`, `LANEWAY_NACOS_REFUSED`, `LANEWAY_AUTH`, `LANEWAY_CLOSED`
   */
  async request(
    type: string,
    module: string,
    body: Record<string, unknown>,
    { once = false, expected = [], headers = {} }: RequestExtras & { once?: boolean } = {},
  ): Promise<Message> {
    const end = Date.now() + this.options.operationTimeoutMs
    for (;;) {
      const session = await this.ready(Math.max(1, end - Date.now()))
      try {
        return await this.requestOn(session, type, module, body, { expected, headers })
      } catch (error) {
        const retry = !once && (error as LanewayError).code === 'LANEWAY_NACOS_UNAVAILABLE' && Date.now() < end
        if (!retry || this.#closed !== undefined) throw this.#closed ?? error
        // A server that answers and refuses to work (300) must not be asked in a tight loop.
        if (!session.ended) await pause(100)
      }
    }
  }

  /** As {@link request}, on this session or not at all. */
  requestOn(
    session: Session,
    type: string,
    module: string,
    body: Record<string, unknown>,
    extras: RequestExtras = {},
  ): Promise<Message> {
    return requestOn(session, { type, module, body, login: this.#login, userHeaders: this.options.headers, ...extras })
  }

  /** Ends the session and everything that waits. Idempotent. */
  close(): void {
    if (this.#closed !== undefined) return
    this.#closed = new LanewayError('LANEWAY_CLOSED', 'the Nacos client is closed')
    clearTimeout(this.#timer)
    this.rechecks.close()
    for (const { reject } of this.#waiting) reject(this.#closed)
    this.#session?.end('the client was closed')
    for (const session of this.#retiring) session.end('the client was closed')
    this.#session = undefined
  }

  async #connect(firstDelayMs: number): Promise<void> {
    if (this.#connecting) return
    this.#connecting = true
    let delayMs = firstDelayMs
    while (this.#closed === undefined) {
      if (delayMs > 0) {
        await new Promise<void>(resolve => {
          this.#timer = setTimeout(resolve, delayMs)
          if (!this.options.keepsProcess) this.#timer.unref()
        })
      }
      try {
        const session = await this.#open(this.#ring.next())
        this.#connecting = false
        this.#adopt(session)
        return
      } catch (error) {
        delayMs = this.#nextDelayMs()
        this.#down(error as LanewayError)
      }
    }
    this.#connecting = false
  }

  /** Grows with each failed pass over the list. Within a pass the next server is tried at once. */
  #nextDelayMs(): number {
    const turn = Math.floor(++this.#failures / this.#ring.list.length)
    if (this.#failures % this.#ring.list.length !== 0) return 0
    return backoffMs(turn - 1, 100, this.options.maxReconnectDelayMs, this.options.random, 'linear')
  }

  #down(error: LanewayError): void {
    if (this.#closed !== undefined) return
    this.#lastError = error
    // One warning for an outage, not one for each attempt.
    if (!this.#warned) this.options.warn(`no connection to Nacos, trying again: ${error.message}`)
    this.#warned = true
    for (const user of this.#users) user.down(error)
  }

  async #open(server: ServerAddress): Promise<Session> {
    const { tls, keepsProcess, appName, labels, requestTimeoutMs, healthIntervalMs } = this.options
    const session = await Session.open({
      server,
      tls,
      keepsProcess,
      appName,
      labels,
      clientVersion: 'Laneway-Node-Client:v0.1.0',
      requestTimeoutMs,
      healthIntervalMs,
      onPush: message => this.#onPush(session, message),
      onEnd: (ended, error) => this.#onEnd(ended, error),
    })
    if (this.#closed !== undefined) {
      session.end('the client was closed')
      throw this.#closed
    }
    return session
  }

  /** Makes a session the current one. Resolves when everything is registered and subscribed on it. */
  #adopt(session: Session): Promise<unknown> {
    this.#session = session
    if (session.ended) {
      this.#onEnd(session, new LanewayError('LANEWAY_NACOS_UNAVAILABLE', 'the connection ended while it was made'))
      return Promise.resolve()
    }
    for (const { resolve } of [...this.#waiting]) resolve(session)
    return Promise.allSettled(this.#users.map(user => user.up(session)))
  }

  #onEnd(session: Session, error: LanewayError): void {
    this.#retiring.delete(session)
    if (session !== this.#session || this.#closed !== undefined) return
    this.#session = undefined
    const lasted = Date.now() - session.openedAt >= GOOD_MS
    if (lasted) {
      this.#failures = 0
      this.#warned = false
    }
    this.#down(error)
    // After a session that lasted, at once but not all clients in one millisecond. Servers that accept and drop are
    // counted as failures, so that two of them are not visited in turn in a tight loop.
    void this.#connect(lasted ? 50 * this.options.random() : Math.max(this.#nextDelayMs(), 1))
  }

  #onPush(session: Session, message: Message): void {
    // A push of the old connection may be older than those of the new one.
    if (session !== this.#session) return
    if (message.type === 'ConnectResetRequest') {
      void this.#move(session, message)
      return
    }
    for (const user of this.#users) user.push(message)
  }

  /**
   * The server asks this client to move. The new connection is made first, so that instances do not vanish in between.
   * Where none can be made, the old one stays, which servers allow.
   */
  async #move(from: Session, message: Message): Promise<void> {
    if (this.#moving) return
    this.#moving = true
    try {
      const { serverIp, serverPort } = message.body
      let server = this.#ring.find(serverIp, serverPort) ?? this.#ring.next()
      if (server === from.server && this.#ring.list.length > 1) server = this.#ring.next()
      const session = await this.#open(server)
      if (this.#session !== from) {
        session.end('another session came first')
        return
      }
      this.#retiring.add(from)
      await Promise.race([this.#adopt(session), pause(this.options.requestTimeoutMs)])
      from.end('moved to another server')
    } catch (error) {
      this.options.warn(`Nacos asked to reconnect, which failed; staying: ${(error as Error).message}`)
    } finally {
      this.#moving = false
    }
  }

  #names(): string {
    const { list } = this.#ring
    const addresses = list.map(server => `${server.host}:${server.grpcPort}`).join(', ')
    const [{ port, grpcPort }] = list as [ServerAddress]
    return `${addresses} (the gRPC port: the configured port ${port} plus ${grpcPort - port})`
  }
}

function pause(ms: number): Promise<void> {
  return new Promise(resolve => setTimeout(resolve, ms))
}
