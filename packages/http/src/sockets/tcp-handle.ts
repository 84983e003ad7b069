import { Socket } from 'node:net'
import { getSystemErrorMap } from 'node:util'

/** The request that libuv works on while a socket connects. */
export interface ConnectRequest {
  readonly constructor: new () => ConnectRequest
  oncomplete: (status: number, handle: unknown, request: ConnectRequest, readable: boolean, writable: boolean) => void
  address: string
  port: number
  addressType: number
  localAddress?: string | undefined
  localPort?: number | undefined
}

/** The TCP handle below a socket. */
export interface TcpHandle {
  readonly constructor: new (type: number) => TcpHandle
  connect(request: ConnectRequest, address: string, port: number): number
  connect6(request: ConnectRequest, address: string, port: number): number
  bind?(address: string, port: number): number
  bind6?(address: string, port: number, flags: number): number
}

/** The status of an attempt that took too long. */
export const ETIMEDOUT = [...getSystemErrorMap()].find(([, [code]]) => code === 'ETIMEDOUT')?.[0] ?? -110

/** `TCPConstants.SOCKET`. */
const CLIENT = 0

/**
 * How Node itself gives a connecting socket a new handle when it tries the next address of a host (`autoSelectFamily`).
 * Both `net.Socket` and `tls.TLSSocket` have it.
 */
const kReinitialize = Object.getOwnPropertySymbols(Socket.prototype).find(
  symbol => symbol.description === 'kReinitializeHandle',
)

type Internals = Socket & {
  _handle?: (TcpHandle & { _parent?: TcpHandle; _secureContext?: { singleUse?: boolean } }) | null
  [kind: symbol]: (handle: TcpHandle) => void
}

/** The TCP handle of a socket, below TLS if any; `undefined` for pipes and for objects that only look like sockets. */
export function tcpHandleOf(socket: Socket): TcpHandle | undefined {
  if (!(socket instanceof Socket)) return undefined
  const handle = (socket as Internals)._handle
  const tcp = handle?._parent ?? handle
  return typeof tcp?.connect === 'function' && typeof tcp.connect6 === 'function' ? tcp : undefined
}

/** What Node passes to a completed connection: the handle of the socket itself. */
export function handleOf(socket: Socket): unknown {
  return (socket as Internals)._handle
}

/** Closes the handle of a socket and gives it a new one. @returns `undefined` where Node has no way to do so */
export function renewHandle(socket: Socket): TcpHandle | undefined {
  const before = tcpHandleOf(socket)
  if (before === undefined || kReinitialize === undefined) return undefined
  const secure = (socket as Internals)._handle?._secureContext
  // Node drops a secure context for one use with its handle, but here the next handle needs it.
  if (secure?.singleUse) secure.singleUse = false
  const handle = new before.constructor(CLIENT)
  ;(socket as Internals)[kReinitialize]!(handle)
  return handle
}

/** The error that Node makes of a status. */
export function failureOf(status: number, { address, port }: ConnectRequest): Error {
  const code = getSystemErrorMap().get(status)?.[0] ?? `E${status}`
  return Object.assign(new Error(`connect ${code} ${address}:${port}`), {
    errno: status,
    code,
    syscall: 'connect',
    address,
    port,
  })
}

/** Binds a handle to the local address that the caller asked for. @returns a status, 0 for success */
export function bind(handle: TcpHandle, { localAddress, localPort = 0 }: ConnectRequest, six: boolean): number {
  if (!localAddress && !localPort) return 0
  return six ? handle.bind6!(localAddress || '::', localPort, 0) : handle.bind!(localAddress || '0.0.0.0', localPort)
}

/** Makes a TLS socket that has lost its secure connection shake hands again as soon as TCP is connected. */
export function shakeHandsAgain(socket: Socket): void {
  const secure = socket as Socket & { encrypted?: boolean; secureConnecting?: boolean; _start?: () => void }
  if (secure.encrypted !== true || secure._start === undefined) return
  Object.assign(secure, { secureConnecting: true, authorized: false, _secureEstablished: false, _securePending: false })
  socket.once('connect', secure._start)
}
