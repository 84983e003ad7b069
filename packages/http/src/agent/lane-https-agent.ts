import { type ClientRequest, Agent as HttpAgent } from 'node:http'
import { Agent, type AgentOptions } from 'node:https'
import { isDisabled } from '@laneway/core/internal'
import { type AgentInternals, type CreateConnection, hopOptions } from '../node-internals.js'
import type { LaneAgentOptions } from '../options.js'
import { createSocket } from '../sockets/create-socket.js'
import { poolName } from '../sockets/endpoint-pool.js'
import { mayKeep } from '../sockets/endpoint-sockets.js'
import { LaneRouting } from './lane-routing.js'
import { LIKE_GLOBAL } from './like-global.js'

const node = HttpAgent.prototype as unknown as AgentInternals

/**
 * {@link LaneAgent} for https: `https.get`, axios (`httpsAgent`), got (`agent.https`). Server name (SNI) and certificate
 * checks stay with the logical name, whatever endpoint serves.
 *
 * Errors as for `LaneAgent`; those of the TLS handshake are Node's own and are not retried.
 */
export class LaneHttpsAgent extends Agent {
  /** `undefined` when `LANEWAY_DISABLE` switches it off: then this is an agent like any other. */
  readonly #routing: LaneRouting | undefined

  /**
   * @param options - lanes
   * @param agentOptions - of `https.Agent`; the defaults are those of Node's global agent: `keepAlive: true`,
   *   `scheduling: 'lifo'`, `timeout: 5000`
   * @throws LanewayError `LANEWAY_INVALID_OPTION`
   */
  constructor(options: LaneAgentOptions = {}, agentOptions: AgentOptions = {}) {
    super({ ...LIKE_GLOBAL, ...agentOptions })
    if (isDisabled(['http'])) return
    const direct = (agentOptions as { proxyEnv?: unknown }).proxyEnv === undefined ? undefined : directly(agentOptions)
    this.#routing = new LaneRouting(
      { where: 'LaneHttpsAgent', agent: this as never, secure: true, direct, node },
      options,
    )
  }

  /** Called by `https.request`. */
  addRequest(request: ClientRequest, options: any, port?: any, localAddress?: any): void {
    if (this.#routing === undefined)
      node.addRequest.call(this as never, request, hopOptions(options, port, localAddress))
    else this.#routing.addRequest(request, hopOptions(options, port, localAddress))
  }

  /** Called by `http.Agent` when no idle connection fits. Connections to endpoints never go through a proxy. */
  createSocket(request: ClientRequest, options: any, callback: any): void {
    if (this.#routing === undefined) node.createSocket.call(this as never, request, options, callback)
    else createSocket(this.#routing.way, request, options, callback)
  }

  /** Called by `http.Agent` when a connection has become idle. */
  override keepSocketAlive(socket: any): any {
    return mayKeep(socket) && super.keepSocketAlive(socket)
  }

  /** The pool of a connection: that of its endpoint, for a service. */
  override getName(options?: any): string {
    return poolName(this, super.getName, options, true)
  }

  /** Closes all connections and unsubscribes from the resolver, which stays open. The agent can still be used. */
  override destroy(): void {
    this.#routing?.release()
    super.destroy()
  }
}

/** Connects without the proxy of an agent; holds the TLS sessions of endpoints. */
function directly(agentOptions: AgentOptions): CreateConnection {
  const direct = new Agent({ ...agentOptions, proxyEnv: undefined } as AgentOptions) as unknown as AgentInternals
  return options => direct.createConnection(options)
}
