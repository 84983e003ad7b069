import type { ClientRequest } from 'node:http'
import type { Socket } from 'node:net'

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

/** The methods of `http.Agent` that are in no documentation. */
export interface AgentInternals {
  addRequest(request: ClientRequest, options: HopOptions): void
}

/** Options of a request as `addRequest` takes them: an object, or what it took before Node 1: host, port, local address. */
export function hopOptions(options: HopOptions | string, port?: unknown, localAddress?: unknown): HopOptions {
  return typeof options === 'string' ? { host: options, port: port as number, localAddress } : options
}
