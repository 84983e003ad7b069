import type { Agent, ClientRequest } from 'node:http'
import { createConnection, Socket } from 'node:net'

/**
 * What `ClientRequest` hands to `agent.addRequest`. Neither is in Node's documentation, and both are what `agent-base`
 * and every proxy agent have built on for years; the tests run on each supported Node version.
 */
export interface HopOptions {
  host?: string | null | undefined
  hostname?: string | null | undefined
  port?: number | string | null | undefined
  servername?: string | undefined
  socketPath?: string | undefined
  /** The pool a connection belongs to, set by `http.Agent` before it connects. */
  _agentKey?: string
  [key: string | symbol]: unknown
}

/** `ClientRequest.prototype.onSocket`: how an agent gives a request its socket, or its error. */
export type OnSocket = (this: ClientRequest, socket: Socket | undefined, error?: Error) => void

/** A request with the methods that an agent of this package puts in front of Node's. */
export type OutgoingRequest = ClientRequest & {
  onSocket: OnSocket
  _implicitHeader: () => void
}

/** The methods of the request's class, whatever has been put onto the request itself. */
export function classOf(request: ClientRequest): OutgoingRequest {
  return Object.getPrototypeOf(request) as OutgoingRequest
}

/** How `http.Agent` asks for a connection: the socket is returned, or given to the callback. */
export type CreateConnection = (options: HopOptions, callback?: OnCreated) => Socket | null | undefined
export type OnCreated = (error: Error | null, socket?: Socket) => void

/** What of `http.Agent` is in no documentation, and the pools that are. */
export interface AgentInternals {
  readonly options: HopOptions
  readonly keepAlive: boolean
  readonly sockets: Record<string, Socket[] | undefined>
  readonly freeSockets: Record<string, Socket[] | undefined>
  readonly requests: Record<string, ClientRequest[] | undefined>
  createConnection: CreateConnection
  addRequest(request: ClientRequest, options: HopOptions): void
  createSocket(request: ClientRequest, options: HopOptions, callback: OnCreated): void
  removeSocket(socket: Socket, options: HopOptions): void
  getName(options: HopOptions): string
  keepSocketAlive(socket: Socket): boolean
}

export type AnyAgent = Omit<Agent, keyof AgentInternals> & AgentInternals

/** Connects directly, without a proxy. */
export const connectDirectly = createConnection as unknown as CreateConnection

/** Options of a request as `addRequest` takes them: an object, or what it took before Node 1: host, port, local address. */
export function hopOptions(options: HopOptions | string, port?: unknown, localAddress?: unknown): HopOptions {
  return typeof options === 'string' ? { host: options, port: port as number, localAddress } : options
}

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

/** The TCP handle of a socket, below TLS if need be; `undefined` for pipes and for what only looks like a socket. */
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
  // The secure context of a connection that is used once ends with its handle; here the next handle needs it.
  if (secure?.singleUse) secure.singleUse = false
  const handle = new before.constructor(CLIENT)
  ;(socket as Internals)[kReinitialize]!(handle)
  return handle
}
