import type { ClientRequest } from 'node:http'
import type { Socket } from 'node:net'
import type { AgentInternals, HopOptions } from '../node-internals.js'

/** The endpoint that a connection goes to, set on its options. */
export const kEndpoint: unique symbol = Symbol('laneway.endpoint')

/** The properties of an endpoint that name a pool. */
export interface PoolAddress {
  readonly address: string
  readonly host: string
  readonly port: number
}

/** The pool of requests whose endpoint is not known yet. No host has this name. */
export const WAITING: PoolAddress = Object.freeze({ address: '', host: 'laneway-waiting', port: 0 })

/**
 * `agent.getName` for a connection to an endpoint: the name that Node would give if the endpoint had been called by its
 * address. So connections to different endpoints of a service are never confused.
 *
 * @param own - whether `getName` is Node's; another one may ignore the host, so the address is added to its result
 */
export function poolName(
  agent: unknown,
  getName: (options: HopOptions) => string,
  options: HopOptions | undefined,
  own: boolean,
): string {
  const endpoint = options?.[kEndpoint] as PoolAddress | undefined
  if (options === undefined || endpoint === undefined) return getName.call(agent, options as HopOptions)
  const { host, port } = options
  options.host = endpoint.host
  options.port = endpoint.port
  try {
    const name = getName.call(agent, options)
    return own ? name : `${name}:${endpoint.address}`
  } finally {
    options.host = host
    options.port = port
  }
}

/**
 * Moves a connection in use to the pool of another endpoint, because it now goes there.
 *
 * @param to - `undefined`: the host of the request turned out to be no service
 */
export function movePool(
  agent: AgentInternals,
  socket: Socket,
  options: HopOptions,
  to: PoolAddress | undefined,
): void {
  const was = options[kEndpoint] as PoolAddress | undefined
  if (was?.address === to?.address) return
  const from = agent.getName(options)
  if (to === undefined) delete options[kEndpoint]
  else options[kEndpoint] = to
  const name = agent.getName(options)
  options._agentKey = name
  if (name === from) return
  const sockets = agent.sockets[from]
  const index = sockets?.indexOf(socket) ?? -1
  if (sockets === undefined || index === -1) return
  const there = agent.sockets[name]
  if (there === undefined) agent.sockets[name] = [socket]
  else there.push(socket)
  if (was !== WAITING && (agent.requests[from]?.length ?? 0) > 0) {
    // Removes the socket and opens a connection for the first request that waits for this pool.
    agent.removeSocket(socket, { ...options, [kEndpoint]: was })
    return
  }
  sockets.splice(index, 1)
  if (sockets.length === 0) delete agent.sockets[from]
}

/** Takes a request out of the queue of its agent. @returns whether it waited there */
export function leaveQueue(agent: AgentInternals, request: ClientRequest, options: HopOptions): boolean {
  const name = agent.getName(options)
  const queue = agent.requests[name]
  const index = queue?.indexOf(request) ?? -1
  if (queue === undefined || index === -1) return false
  queue.splice(index, 1)
  if (queue.length === 0) delete agent.requests[name]
  return true
}
