import { getDefaultAutoSelectFamilyAttemptTimeout, isIP, type Socket } from 'node:net'
import type { Endpoint } from '@laneway/discovery'
import type { AnyAgent, CreateConnection, HopOptions, OnCreated } from '../node-internals.js'
import { connectingSocket, watchConnecting } from './connecting-socket.js'
import { movePool } from './endpoint-pool.js'
import { type Goal, lookUpGoal } from './goal.js'
import { SteeredSocket, type Steering } from './steered-socket.js'
import { ETIMEDOUT, tcpHandleOf } from './tcp-handle.js'

/** The request that a connection is made for. */
export interface ConnectionOwner {
  /** An endpoint could not be reached. @returns the next one, an error to end with, or nothing: this failure is the end */
  next(failure: Error): Goal | Error | undefined
  connected(socket: Socket): void
  /** A mock that stood in for the connection passes the request on to the network, and this socket connects. */
  mockPassedOn(socket: Socket): void
}

/** A connection of a socket on this package; for the requests that get the socket later. */
const kConnection = Symbol('laneway.connection')

/** The connection of a socket to an endpoint, if this package made it. */
export function connectionOf(socket: Socket | undefined): EndpointConnection | undefined {
  return (socket as { [kConnection]?: EndpointConnection } | undefined)?.[kConnection]
}

/**
 * Leads an ordinary socket to an endpoint. Node makes and connects the socket under the name of the service, and this decides
 * to which address it connects. When an attempt fails, another one to the next endpoint follows on the same socket. So the
 * request has its socket from the start, and its listeners see one socket that takes its time to connect.
 */
export class EndpointConnection implements Steering {
  owner: ConnectionOwner
  /** What `http.Agent` keeps for the socket: names its pool. */
  options: HopOptions | undefined
  /** TCP is connected, or this class cannot lead the socket. */
  done = false
  /** TLS to an endpoint although the URL says http. */
  secure = false
  /** Somebody else made the socket, such as a mock. */
  #foreign = false
  #agent: AnyAgent | undefined
  readonly #timeoutMs: number
  readonly #steered = new SteeredSocket(this)
  #goal: Goal | undefined
  /** Addresses of the goal that were not tried yet; `undefined` until they are known. */
  #addresses: string[] | undefined
  #timer: NodeJS.Timeout | undefined
  /** Counts goals, so that late events of an earlier one are ignored. */
  #turn = 0

  constructor(agent: AnyAgent | undefined, owner: ConnectionOwner, timeoutMs: number) {
    this.#agent = agent
    this.owner = owner
    this.#timeoutMs = timeoutMs
  }

  /** Calls `createConnection` of the agent or of the request. */
  open(
    create: CreateConnection,
    self: unknown,
    options: HopOptions,
    callback: OnCreated | undefined,
  ): Socket | undefined {
    this.options = options
    const created: OnCreated = (error, socket) => {
      if (socket) this.#adopt(socket)
      callback?.(error, socket)
    }
    // One address at a time: this class decides which to try next.
    const own: HopOptions = { ...options, lookup: this.#steered.lookup, autoSelectFamily: false }
    const socket = create.call(self, own, callback === undefined ? undefined : created)
    if (socket) this.#adopt(socket)
    return socket ?? undefined
  }

  #adopt(socket: Socket): void {
    if (this.#steered.socket !== undefined || this.#foreign) return
    const handle = tcpHandleOf(socket)
    if (handle === undefined || !socket.connecting) {
      this.#foreign = true
      this.done = true
      watchConnecting()
      return
    }
    ;(socket as { [kConnection]?: EndpointConnection })[kConnection] = this
    this.#steered.take(socket, handle)
  }

  /** Puts the connection into the pool of its goal. */
  move(goal: Goal): void {
    const { socket } = this.#steered
    if (this.options === undefined || this.#agent === undefined || socket === undefined) return
    movePool(this.#agent, socket, this.options, goal.address === undefined ? undefined : (goal as Endpoint))
  }

  isStarted(): boolean {
    return this.done || this.#goal !== undefined
  }

  /** Connects, to an endpoint or to a host that is no service. */
  start(goal: Goal): void {
    const { socket } = this.#steered
    if (!this.done && socket !== undefined && !socket.destroyed) this.#aim(goal)
  }

  /** The socket was destroyed. */
  abandon(): void {
    this.#stop()
  }

  /** Ends the socket as a failed lookup does. */
  fail(error: Error): void {
    this.#stop()
    this.done = true
    this.#steered.fail(error)
  }

  /**
   * Connects again, to another endpoint than before, although the socket was connected or just about to be. Nothing of a
   * request may have been written.
   *
   * @returns `false` when Node has no way to do so
   */
  restart(goal: Goal): boolean {
    if (!this.#steered.restart()) return false
    this.done = false
    this.#stop()
    this.#aim(goal)
    return true
  }

  lookedUp(): void {
    if (this.#foreign && this.#steered.socket === undefined) this.#takeBack()
    else if (this.#addresses !== undefined) process.nextTick(() => this.connecting())
  }

  /** A mock has made a connection with the options that it was given: the lookup is that of the socket which connects. */
  #takeBack(): void {
    const socket = connectingSocket()
    const handle = socket?.connecting === true ? tcpHandleOf(socket) : undefined
    if (socket === undefined || handle === undefined) {
      this.fail(new Error('a mock connects in a way that Laneway cannot lead to an endpoint'))
      return
    }
    this.done = false
    // No pool has this socket.
    this.#agent = undefined
    ;(socket as { [kConnection]?: EndpointConnection })[kConnection] = this
    this.#steered.take(socket, handle)
    this.owner.mockPassedOn(socket)
  }

  #aim(goal: Goal): void {
    const turn = ++this.#turn
    this.#goal = goal
    this.#addresses = undefined
    this.move(goal)
    if (goal.address !== undefined) this.#timer = setTimeout(late, this.#timeoutMs, this)
    if (isIP(goal.host) !== 0) {
      this.#addresses = [goal.host]
      this.connecting()
      return
    }
    lookUpGoal(goal, this.options, (error, addresses) => {
      if (turn !== this.#turn || this.#steered.socket?.destroyed !== false) return
      if (error) {
        if (!this.#retry(error)) this.fail(error)
        return
      }
      this.#addresses = addresses
      this.connecting()
    })
  }

  /** Answers the lookup of the socket, or connects its handle, whichever Node waits for. */
  connecting(): void {
    const [address] = this.#addresses ?? []
    if (address === undefined || this.#steered.answerLookup(address)) return
    if (this.#steered.attempt !== undefined) this.#connect()
  }

  #connect(): void {
    const address = this.#addresses?.shift()
    if (address === undefined) return
    if (this.#hasMore()) this.#limitAttempt(getDefaultAutoSelectFamilyAttemptTimeout())
    this.#steered.connect(address, Number(this.#goal?.port))
  }

  #hasMore(): boolean {
    return (this.#addresses?.length ?? 0) > 0
  }

  /** Limits how long an attempt may take while other addresses of its host are left. */
  #limitAttempt(ms: number): void {
    const { attempt } = this.#steered
    setTimeout(() => {
      if (attempt === this.#steered.attempt && !this.done && this.#hasMore()) this.#timedOut()
    }, ms).unref()
  }

  /** After a long computation the timer fires before the event of a connection that is there: looks for that event first. */
  late(): void {
    const turn = this.#turn
    setImmediate(() => {
      if (turn === this.#turn) this.#timedOut()
    })
  }

  #timedOut(): void {
    if (this.done || this.#steered.socket?.destroyed !== false) return
    if (this.#addresses === undefined || this.#steered.attempt === undefined) {
      const error = Object.assign(new Error(`lookup of ${this.#goal?.host} took more than ${this.#timeoutMs} ms`), {
        code: 'ETIMEDOUT',
        syscall: 'connect',
      })
      if (!this.#retry(error)) this.fail(error)
    } else this.completed(ETIMEDOUT, false, false)
  }

  completed(status: number, readable: boolean, writable: boolean): void {
    const steered = this.#steered
    const socket = steered.socket!
    if (status !== 0 && !socket.destroyed) {
      if (this.#hasMore()) {
        if (steered.renew()) {
          this.#connect()
          return
        }
      } else if (this.#retry(steered.failureOf(status))) return
    }
    this.#stop()
    this.done = true
    steered.ignore()
    // Destroyed by its user: Node has reported it.
    if (socket.destroyed) return
    if (status === 0) this.owner.connected(socket)
    steered.finish(status, readable, writable)
  }

  /** @returns whether the socket goes on to another endpoint, or has ended with an error of the owner */
  #retry(failure: Error): boolean {
    if (this.#goal?.address === undefined) return false
    this.#stop()
    const next = this.owner.next(failure)
    if (next === undefined) return false
    if (next instanceof Error) {
      this.fail(next)
      return true
    }
    if (!this.#steered.renew()) return false
    this.#aim(next)
    return true
  }

  #stop(): void {
    this.#turn++
    clearTimeout(this.#timer)
    this.#timer = undefined
  }
}

function late(connection: EndpointConnection): void {
  connection.late()
}
