import { subscribe } from 'node:diagnostics_channel'
import dns from 'node:dns'
import { getDefaultAutoSelectFamilyAttemptTimeout, isIP, type Socket } from 'node:net'
import { guardLookup, kAnyAddress } from '@laneway/core'
import type { Endpoint } from '@laneway/discovery'
import type { AnyAgent, CreateConnection, HopOptions, OnCreated } from '../node-internals.js'
import { movePool } from './endpoint-pool.js'
import {
  bind,
  type ConnectRequest,
  ETIMEDOUT,
  failureOf,
  handleOf,
  renewHandle,
  shakeHandsAgain,
  type TcpHandle,
  tcpHandleOf,
} from './tcp-handle.js'

/** The request that a connection is made for. */
export interface ConnectionOwner {
  /** An endpoint could not be reached. @returns the next one, an error to end with, or nothing: this failure is the end */
  next(failure: Error): Goal | Error | undefined
  connected(socket: Socket): void
  /** A mock that stood in for the connection lets the request through after all, and this socket connects. */
  letThrough(socket: Socket): void
}

type Lookup = (error: Error | null, address?: unknown, family?: number) => void

/** A connection of a socket on this package; for the requests that get the socket later. */
const kConnection = Symbol('laneway.connection')

/** Where a connection goes. Without `address` it is a host that is no service. */
export type Goal = Pick<Endpoint, 'host' | 'port'> & { readonly address?: string }

/** The connection of a socket to an endpoint, if this package made it. */
export function connectionOf(socket: Socket | undefined): EndpointConnection | undefined {
  return (socket as { [kConnection]?: EndpointConnection } | undefined)?.[kConnection]
}

/**
 * Leads an ordinary socket to an endpoint. Node makes and connects the socket as always, under the name of the service;
 * this answers its lookup and decides to which address its handle connects. An attempt that fails is followed by one to
 * the next endpoint on a new handle of the same socket, as Node does for the next address of a host. So the request has
 * its socket from the start, and whoever listens sees one socket that takes its time to connect.
 */
export class EndpointConnection {
  owner: ConnectionOwner
  /** What `http.Agent` keeps for the socket: names its pool. */
  options: HopOptions | undefined
  socket: Socket | undefined
  /** TCP is connected, or the socket is none that this class can lead. */
  done = false
  /** TLS to an endpoint although the URL says http. */
  secure = false
  #foreign = false
  #agent: AnyAgent | undefined
  readonly #timeoutMs: number
  #goal: Goal | undefined
  /** Addresses of the goal that were not tried yet; `undefined` until they are known. */
  #addresses: string[] | undefined
  #answer: Lookup | undefined
  #wantsAll = false
  /** Node's request to connect; without `address` it waits for the goal. */
  #request: ConnectRequest | undefined
  #complete: ConnectRequest['oncomplete'] | undefined
  #timer: NodeJS.Timeout | undefined
  /** Node has bound the first handle to the local address that the caller asked for; the others are bound here. */
  #renewed = false
  /** Raised with each goal: what an earlier one still brings is ignored. */
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
    // One address at a time: what to try next is decided here.
    const own: HopOptions = { ...options, lookup: this.#lookup, autoSelectFamily: false }
    const socket = create.call(self, own, callback === undefined ? undefined : created)
    if (socket) this.#adopt(socket)
    return socket ?? undefined
  }

  /** Puts the connection into the pool of where it is going. */
  move(goal: Goal): void {
    if (this.options === undefined || this.#agent === undefined || this.socket === undefined) return
    movePool(this.#agent, this.socket, this.options, goal.address === undefined ? undefined : (goal as Endpoint))
  }

  isStarted(): boolean {
    return this.done || this.#goal !== undefined
  }

  /** Connects, to an endpoint or to a host that is no service. */
  start(goal: Goal): void {
    const socket = this.socket
    if (this.done || socket === undefined || socket.destroyed) return
    this.#aim(goal)
  }

  /** The socket was destroyed. */
  abandon(): void {
    this.#stop()
  }

  /** Ends the socket as a failed lookup does. */
  fail(error: Error): void {
    const answer = this.#answer
    this.#answer = undefined
    this.#stop()
    this.done = true
    if (answer === undefined) this.socket?.destroy(error)
    else answer(error)
  }

  /**
   * Connects again, to another endpoint than before, although the socket was connected or just about to be. Nothing of a
   * request may have been written.
   *
   * @returns `false` when Node has no way to do so
   */
  restart(goal: Goal): boolean {
    const { socket } = this
    if (socket === undefined || socket.destroyed || this.#request === undefined) return false
    if (renewHandle(socket) === undefined) return false
    if (!socket.connecting) {
      ;(socket as { connecting: boolean }).connecting = true
      shakeHandsAgain(socket)
    }
    this.done = false
    this.#stop()
    this.#request = this.#fresh(this.#request)
    this.#aim(goal)
    return true
  }

  readonly #lookup = (_host: string, options: { all?: boolean }, callback: Lookup): void => {
    this.#answer = callback
    this.#wantsAll = options?.all === true
    if (this.#foreign && this.socket === undefined) this.#takeBack()
    else if (this.#addresses !== undefined) process.nextTick(() => this.#proceed())
  }

  #adopt(socket: Socket): void {
    if (this.socket !== undefined || this.#foreign) return
    const handle = tcpHandleOf(socket)
    if (handle === undefined || !socket.connecting) {
      this.#foreign = true
      this.done = true
      watchConnecting()
      return
    }
    this.#take(socket, handle)
  }

  #take(socket: Socket, handle: TcpHandle): void {
    this.socket = socket
    ;(socket as { [kConnection]?: EndpointConnection })[kConnection] = this
    this.#hook(handle)
  }

  /** A mock has made a connection with the options that it was given: the lookup is that of the socket which connects. */
  #takeBack(): void {
    const socket = connecting?.deref()
    const handle = socket?.connecting === true ? tcpHandleOf(socket) : undefined
    if (socket === undefined || handle === undefined) {
      this.fail(new Error('a mock connects in a way that cannot be led to an endpoint'))
      return
    }
    this.done = false
    // No pool has this socket.
    this.#agent = undefined
    this.#take(socket, handle)
    this.owner.letThrough(socket)
  }

  /** From now on the handle asks here to which address it shall connect. */
  #hook(handle: TcpHandle): void {
    const connect = (request: ConnectRequest) => {
      this.#request = request
      this.#complete = request.oncomplete
      this.#proceed()
      return 0
    }
    handle.connect = connect
    handle.connect6 = connect
  }

  #aim(goal: Goal): void {
    const turn = ++this.#turn
    this.#goal = goal
    this.#addresses = undefined
    this.move(goal)
    if (goal.address !== undefined) this.#timer = setTimeout(late, this.#timeoutMs, this)
    if (isIP(goal.host) !== 0) {
      this.#addresses = [goal.host]
      this.#proceed()
      return
    }
    const {
      lookup: given = dns.lookup,
      family,
      hints,
    } = (this.options ?? {}) as { lookup?: any; family?: any; hints?: any }
    // The name of an endpoint does not say that it leads to a metadata service; an address was checked by the resolver.
    const lookup = isUnchecked(goal) ? guardLookup(given) : given
    lookup(goal.host, { all: true, family, hints }, (error: Error | null, found: unknown) => {
      if (turn !== this.#turn || this.socket?.destroyed !== false) return
      if (error) {
        if (!this.#retry(error)) this.#giveUp(error)
        return
      }
      const list = Array.isArray(found) ? found.map(one => one.address as string) : [found as string]
      this.#addresses = list.filter(address => isIP(address) !== 0)
      this.#proceed()
    })
  }

  /** Answers the lookup of the socket, or connects its handle, whichever Node waits for. */
  #proceed(): void {
    const [address] = this.#addresses ?? []
    if (address === undefined) return
    const answer = this.#answer
    if (answer !== undefined) {
      this.#answer = undefined
      const family = isIP(address)
      // Node asks the handle to connect before this returns.
      if (this.#wantsAll) answer(null, [{ address, family }])
      else answer(null, address, family)
    } else if (this.#request !== undefined) this.#connect(this.#request)
  }

  #connect(request: ConnectRequest): void {
    const address = this.#addresses?.shift()
    const handle = this.socket === undefined ? undefined : tcpHandleOf(this.socket)
    if (address === undefined || handle === undefined) return
    const six = isIP(address) === 6
    request.address = address
    request.port = Number(this.#goal?.port)
    request.addressType = six ? 6 : 4
    request.oncomplete = (status, ...rest) => {
      if (request === this.#request) this.#completed(status, rest[2], rest[3])
    }
    if (this.#addresses!.length > 0) this.#patience(getDefaultAutoSelectFamilyAttemptTimeout())
    const native = Object.getPrototypeOf(handle) as TcpHandle
    const status =
      (this.#renewed ? bind(handle, request, six) : 0) ||
      (six ? native.connect6 : native.connect).call(handle, request, address, request.port)
    if (status !== 0) process.nextTick(() => request === this.#request && this.#completed(status, false, false))
  }

  /** How long the next address may take while others of its host are left. */
  #patience(ms: number): void {
    const request = this.#request
    setTimeout(() => {
      if (request === this.#request && !this.done && (this.#addresses?.length ?? 0) > 0) this.timedOut()
    }, ms).unref()
  }

  /** A program that computes for long finds the time over before it can see that the connection is there: it looks first. */
  late(): void {
    const turn = this.#turn
    setImmediate(() => {
      if (turn === this.#turn) this.timedOut()
    })
  }

  timedOut(): void {
    if (this.done || this.socket?.destroyed !== false) return
    if (this.#addresses === undefined || this.#request === undefined) {
      const error = Object.assign(new Error(`lookup of ${this.#goal?.host} took more than ${this.#timeoutMs} ms`), {
        code: 'ETIMEDOUT',
        syscall: 'connect',
      })
      if (!this.#retry(error)) this.#giveUp(error)
    } else this.#completed(ETIMEDOUT, false, false)
  }

  #completed(status: number, readable: boolean, writable: boolean): void {
    const socket = this.socket!
    const request = this.#request!
    if (status !== 0 && !socket.destroyed) {
      if ((this.#addresses?.length ?? 0) > 0) {
        if (renewHandle(socket) !== undefined) {
          this.#request = this.#fresh(request)
          this.#connect(this.#request)
          return
        }
      } else if (this.#retry(failureOf(status, request))) return
    }
    this.#stop()
    this.done = true
    request.oncomplete = ignore
    // Destroyed by its user: Node has told everybody.
    if (socket.destroyed) return
    if (status === 0) this.owner.connected(socket)
    this.#complete!(status, handleOf(socket), request, readable, writable)
  }

  /** @returns whether the socket goes on to another endpoint, or has ended with an error of the owner */
  #retry(failure: Error): boolean {
    if (this.#goal?.address === undefined) return false
    this.#stop()
    const next = this.owner.next(failure)
    if (next === undefined) return false
    if (next instanceof Error) {
      this.#giveUp(next)
      return true
    }
    if (this.#request !== undefined) {
      if (renewHandle(this.socket!) === undefined) return false
      this.#request = this.#fresh(this.#request)
    }
    this.#aim(next)
    return true
  }

  #giveUp(error: Error): void {
    this.#stop()
    this.done = true
    if (this.#request !== undefined) this.#request.oncomplete = ignore
    const answer = this.#answer
    this.#answer = undefined
    if (answer === undefined) this.socket!.destroy(error)
    else answer(error)
  }

  /** A request serves one attempt. */
  #fresh(request: ConnectRequest): ConnectRequest {
    request.oncomplete = ignore
    const next = new request.constructor()
    next.localAddress = request.localAddress
    next.localPort = request.localPort
    this.#renewed = true
    return next
  }

  #stop(): void {
    this.#turn++
    clearTimeout(this.#timer)
    this.#timer = undefined
  }
}

/** Whether a goal is an endpoint whose resolver lets none lead to a forbidden address. */
function isUnchecked(goal: Goal): boolean {
  return goal.address !== undefined && (goal as { [kAnyAddress]?: true })[kAnyAddress] !== true
}

/** The socket that was the last to connect, once a mock was met. */
let connecting: WeakRef<Socket> | undefined
let watching = false

function watchConnecting(): void {
  if (watching) return
  watching = true
  subscribe('net.client.socket', message => {
    connecting = new WeakRef((message as { socket: Socket }).socket)
  })
}

function late(connection: EndpointConnection): void {
  connection.late()
}

function ignore(): void {}
