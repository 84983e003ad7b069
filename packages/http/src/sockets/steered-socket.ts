import { isIP, type Socket } from 'node:net'
import {
  bind,
  type ConnectRequest,
  failureOf,
  handleOf,
  renewHandle,
  shakeHandsAgain,
  type TcpHandle,
  tcpHandleOf,
} from './tcp-handle.js'

type Lookup = (error: Error | null, address?: unknown, family?: number) => void

/** Decides to which addresses a socket connects. */
export interface Steering {
  /** Node looks up the host of the socket. */
  lookedUp(): void
  /** Node connects the handle of the socket, and waits for an address. */
  connecting(): void
  /** An attempt has ended. @param status - of libuv, 0 for success */
  completed(status: number, readable: boolean, writable: boolean): void
}

/**
 * An ordinary socket of Node that connects where its {@link Steering} says. Node makes and connects it as always; this
 * answers its lookup and connects its handle. Another attempt gets a new handle of the same socket, as Node does for the next
 * address of a host.
 */
export class SteeredSocket {
  socket: Socket | undefined
  readonly #steering: Steering
  #answer: Lookup | undefined
  #wantsAll = false
  /** Node's request to connect; without `address` it waits for one. Each attempt has its own. */
  #request: ConnectRequest | undefined
  #complete: ConnectRequest['oncomplete'] | undefined
  /** Node has bound the first handle to the local address that the caller asked for; later ones are bound here. */
  #renewed = false

  constructor(steering: Steering) {
    this.#steering = steering
  }

  /** The `lookup` for the options of the socket. */
  readonly lookup = (_host: string, options: { all?: boolean }, callback: Lookup): void => {
    this.#answer = callback
    this.#wantsAll = options?.all === true
    this.#steering.lookedUp()
  }

  /** From now on the handle asks for the address to which it shall connect. */
  take(socket: Socket, handle: TcpHandle): void {
    this.socket = socket
    const connect = (request: ConnectRequest) => {
      this.#request = request
      this.#complete = request.oncomplete
      this.#steering.connecting()
      return 0
    }
    handle.connect = connect
    handle.connect6 = connect
  }

  /** The current attempt, `undefined` before Node has asked to connect. */
  get attempt(): object | undefined {
    return this.#request
  }

  /** Answers a lookup with an address. @returns whether Node waits for one; it then asks to connect before this returns */
  answerLookup(address: string): boolean {
    const answer = this.#answer
    if (answer === undefined) return false
    this.#answer = undefined
    const family = isIP(address)
    if (this.#wantsAll) answer(null, [{ address, family }])
    else answer(null, address, family)
    return true
  }

  connect(address: string, port: number): void {
    const request = this.#request
    const handle = this.socket === undefined ? undefined : tcpHandleOf(this.socket)
    if (request === undefined || handle === undefined) return
    const six = isIP(address) === 6
    request.address = address
    request.port = port
    request.addressType = six ? 6 : 4
    request.oncomplete = (status, ...rest) => {
      if (request === this.#request) this.#steering.completed(status, rest[2], rest[3])
    }
    const native = Object.getPrototypeOf(handle) as TcpHandle
    const status =
      (this.#renewed ? bind(handle, request, six) : 0) ||
      (six ? native.connect6 : native.connect).call(handle, request, address, port)
    if (status !== 0) {
      process.nextTick(() => request === this.#request && this.#steering.completed(status, false, false))
    }
  }

  /** Prepares another attempt. @returns `false` when Node has no way to do so */
  renew(): boolean {
    const request = this.#request
    if (request === undefined) return true
    if (renewHandle(this.socket!) === undefined) return false
    request.oncomplete = ignore
    // A request serves one attempt.
    const next = new request.constructor()
    next.localAddress = request.localAddress
    next.localPort = request.localPort
    this.#request = next
    this.#renewed = true
    return true
  }

  /** As {@link renew}, also for a socket that is connected. Nothing of a request may have been written. */
  restart(): boolean {
    const { socket } = this
    if (socket === undefined || socket.destroyed || this.#request === undefined || !this.renew()) return false
    if (!socket.connecting) {
      ;(socket as { connecting: boolean }).connecting = true
      shakeHandsAgain(socket)
    }
    return true
  }

  /** The error that Node would make of the status of the current attempt. */
  failureOf(status: number): Error {
    return failureOf(status, this.#request!)
  }

  /** Lets Node finish the connection, with or without success. */
  finish(status: number, readable: boolean, writable: boolean): void {
    this.#complete!(status, handleOf(this.socket!), this.#request!, readable, writable)
  }

  /** Ignores further events of the current attempt. */
  ignore(): void {
    if (this.#request !== undefined) this.#request.oncomplete = ignore
  }

  /** Ends the socket as a failed lookup does. */
  fail(error: Error): void {
    this.ignore()
    const answer = this.#answer
    this.#answer = undefined
    if (answer === undefined) this.socket?.destroy(error)
    else answer(error)
  }
}

function ignore(): void {}
