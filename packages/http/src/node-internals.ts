import type { Agent, ClientRequest } from 'node:http'
import { createConnection, type Socket } from 'node:net'

/**
 * What `ClientRequest` passes to `agent.addRequest`. Node documents neither, but `agent-base` and every proxy agent have used
 * both for years, and the tests run on each supported Node version.
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

/** The methods of the request's class, not those that were put onto the request itself. */
export function classOf(request: ClientRequest): OutgoingRequest {
  return Object.getPrototypeOf(request) as OutgoingRequest
}

/** How `http.Agent` asks for a connection: the socket is returned, or given to the callback. */
export type CreateConnection = (options: HopOptions, callback?: OnCreated) => Socket | null | undefined
export type OnCreated = (error: Error | null, socket?: Socket) => void

/** The parts of `http.Agent` that Node does not document, and its pools. */
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

/** Options of a request as `addRequest` takes them: an object, or as before Node 1 host, port and local address. */
export function hopOptions(options: HopOptions | string, port?: unknown, localAddress?: unknown): HopOptions {
  return typeof options === 'string' ? { host: options, port: port as number, localAddress } : options
}
