import { Agent, type AgentOptions, type ClientRequest } from 'node:http'
import { createConnection, type NetConnectOpts } from 'node:net'
import { endpointConnection } from './endpoint-connection.js'
import type { LaneAgentOptions } from './lane-agent-options.js'
import { LaneRouting } from './lane-routing.js'
import { type AgentInternals, type HopOptions, hopOptions } from './node-internals.js'
import { kEndpoint } from './service-hop.js'

/** What Node's global agents have had since version 19. */
export const LIKE_GLOBAL = Object.freeze({ keepAlive: true, scheduling: 'lifo', timeout: 5000 } as const)

/**
 * An `http.Agent` that sends each request where its lane belongs: for `http.get` and `http.request`, axios (`httpAgent`),
 * got (`agent.http`) and whatever else takes an agent.
 *
 * The lane is that of the calling code, or a tag that the caller set by hand, decided when the request is made. A host
 * that names a service goes to the endpoint of the choice, `Host` stays; others go where they always went. The tag is set
 * on services and hosts in scope and removed from all others, on each hop of a redirect anew.
 *
 * Errors arrive as `error` of the request: those of Node, and `LANEWAY_NOT_READY`, `LANEWAY_LANE_REQUIRED`,
 * `LANEWAY_NO_BASE`, `LANEWAY_CLOSED`, `LANEWAY_HEADERS_SENT`.
 */
export class LaneAgent extends Agent {
  readonly #routing: LaneRouting

  /**
   * @param options - lanes
   * @param agentOptions - of `http.Agent`; the defaults are those of Node's global agent: `keepAlive: true`,
   *   `scheduling: 'lifo'`, `timeout: 5000`
   * @throws LanewayError `LANEWAY_INVALID_OPTION`
   */
  constructor(options: LaneAgentOptions = {}, agentOptions: AgentOptions = {}) {
    super({ ...LIKE_GLOBAL, ...agentOptions })
    this.#routing = new LaneRouting('LaneAgent', this, false, options, (request, hop) => {
      ;(Agent.prototype as unknown as AgentInternals).addRequest.call(this, request, hop)
    })
  }

  /** Called by `http.request`. */
  addRequest(request: ClientRequest, options: any, port?: any, localAddress?: any): void {
    this.#routing.addRequest(request, hopOptions(options, port, localAddress))
  }

  /** Called by `http.Agent` when no idle connection fits. Connections to endpoints never go through a proxy. */
  override createConnection(options: any, callback?: any): any {
    if ((options as HopOptions)[kEndpoint] === undefined) return super.createConnection(options, callback)
    const socket = createConnection(endpointConnection(options) as NetConnectOpts)
    this.#routing.opened(options, socket)
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
