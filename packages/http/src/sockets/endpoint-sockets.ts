import type { Socket } from 'node:net'
import type { EgressResolver } from '@laneway/discovery'
import type { AgentInternals } from '../node-internals.js'
import type { EndpointConnection } from './endpoint-connection.js'

interface Entry {
  readonly agent: AgentInternals
  readonly connection: EndpointConnection
}

const kGone = Symbol('laneway.gone')

/** Whether an idle connection may be kept: not when its endpoint has left. */
export function mayKeep(socket: Socket): boolean {
  return (socket as { [kGone]?: true })[kGone] !== true
}

/** The open connections to endpoints that agents keep, so that they end when their endpoint has left. */
export class EndpointSockets {
  /** An entry goes with its last socket. */
  readonly #byAddress = new Map<string, Map<Socket, Entry>>()
  readonly #resolver: EgressResolver
  #unsubscribe: (() => void) | undefined

  constructor(resolver: EgressResolver) {
    this.#resolver = resolver
  }

  add(address: string, socket: Socket, agent: AgentInternals, connection: EndpointConnection): void {
    this.#unsubscribe ??= this.#resolver.onEndpointGone?.(endpoint => this.endpointGone(endpoint.address)) ?? ignore
    let sockets = this.#byAddress.get(address)
    if (sockets === undefined) {
      sockets = new Map()
      this.#byAddress.set(address, sockets)
    }
    sockets.set(socket, { agent, connection })
    const owner = sockets
    socket.once('close', () => {
      owner.delete(socket)
      if (owner.size === 0 && this.#byAddress.get(address) === owner) this.#byAddress.delete(address)
    })
  }

  /** Closes idle connections; a connection in use ends with its request. */
  endpointGone(address: string): void {
    const sockets = this.#byAddress.get(address)
    if (sockets === undefined) return
    for (const [socket, { agent, connection }] of sockets) {
      ;(socket as { [kGone]?: true })[kGone] = true
      const { options } = connection
      if (options === undefined || agent.freeSockets[agent.getName(options)]?.includes(socket) !== true) continue
      socket.destroy()
      // As Node ends an idle socket: it leaves the pool at once, before another request can get it.
      socket.emit('agentRemove')
    }
  }

  /** Unsubscribes from the resolver; the next connection subscribes again. */
  release(): void {
    this.#unsubscribe?.()
    this.#unsubscribe = undefined
  }
}

/** For a resolver that does not report endpoints that leave. */
function ignore(): void {}
