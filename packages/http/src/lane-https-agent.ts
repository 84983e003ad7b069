import { type ClientRequest, Agent as HttpAgent } from 'node:http'
import { Agent, type AgentOptions } from 'node:https'
import { createConnection, type NetConnectOpts, type Socket } from 'node:net'
import { endpointConnection } from './endpoint-connection.js'
import { LIKE_GLOBAL } from './lane-agent.js'
import type { LaneAgentOptions } from './lane-agent-options.js'
import { kPlain, LaneRouting } from './lane-routing.js'
import { type AgentInternals, type HopOptions, hopOptions } from './node-internals.js'
import { kEndpoint } from './service-hop.js'

/**
 * {@link LaneAgent} for https: `https.get`, axios (`httpsAgent`), got (`agent.https`). Server name (SNI) and certificate
 * checks stay with the logical name, whatever endpoint serves.
 *
 * Errors as for `LaneAgent`; those of the TLS handshake are Node's own and are not retried.
 */
export class LaneHttpsAgent extends Agent {
  readonly #routing: LaneRouting
  /** Connects without a proxy where this agent has one; holds the TLS sessions of endpoints then. */
  readonly #direct: Agent | undefined

  /**
   * @param options - lanes
   * @param agentOptions - of `https.Agent`; the defaults are those of Node's global agent: `keepAlive: true`,
   *   `scheduling: 'lifo'`, `timeout: 5000`
   * @throws LanewayError `LANEWAY_INVALID_OPTION`
   */
  constructor(options: LaneAgentOptions = {}, agentOptions: AgentOptions = {}) {
    super({ ...LIKE_GLOBAL, ...agentOptions })
    const { proxyEnv } = agentOptions as { proxyEnv?: unknown }
    this.#direct =
      proxyEnv === undefined ? undefined : new Agent({ ...agentOptions, proxyEnv: undefined } as AgentOptions)
    this.#routing = new LaneRouting('LaneHttpsAgent', this, true, options, (request, hop) => {
      ;(HttpAgent.prototype as unknown as AgentInternals).addRequest.call(this, request, hop)
    })
  }

  /** Called by `https.request`. */
  addRequest(request: ClientRequest, options: any, port?: any, localAddress?: any): void {
    this.#routing.addRequest(request, hopOptions(options, port, localAddress))
  }

  /** Called by `http.Agent` when no idle connection fits. Connections to endpoints never go through a proxy. */
  override createConnection(options: any, callback?: any): any {
    const hop = options as HopOptions
    if (hop[kEndpoint] === undefined) return super.createConnection(options, callback)
    const checked = endpointConnection(hop) as NetConnectOpts
    const socket = (
      hop[kPlain] === true
        ? createConnection(checked)
        : this.#direct === undefined
          ? super.createConnection(checked)
          : this.#direct.createConnection(checked)
    ) as Socket
    this.#routing.opened(hop, socket)
    return socket
  }

  /** Called by `http.Agent` when a connection has become idle. */
  override keepSocketAlive(socket: any): any {
    return this.#routing.mayKeep(socket) && super.keepSocketAlive(socket)
  }

  /** Closes all connections and lets go of the resolver, which stays open. The agent can still be used. */
  override destroy(): void {
    this.#routing.release()
    super.destroy()
  }
}
