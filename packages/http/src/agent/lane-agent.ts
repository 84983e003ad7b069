import { Agent, type AgentOptions, type ClientRequest } from 'node:http'
import { isDisabled } from '@laneway/core/internal'
import { type AgentInternals, connectDirectly, hopOptions } from '../node-internals.js'
import type { LaneAgentOptions } from '../options.js'
import { createSocket } from '../sockets/create-socket.js'
import { poolName } from '../sockets/endpoint-pool.js'
import { mayKeep } from '../sockets/endpoint-sockets.js'
import { LaneRouting } from './lane-routing.js'
import { LIKE_GLOBAL } from './like-global.js'

const node = Agent.prototype as unknown as AgentInternals

/**
 * An `http.Agent` that sends each request where its lane belongs: for `http.get` and `http.request`, axios (`httpAgent`),
 * got (`agent.http`) and every other client that takes an agent.
 *
 * The lane is that of the calling code, or a tag that the caller set by hand before the head was written. A request to a host
 * that names a service goes to the chosen endpoint, and `Host` stays. Other requests go where they would without Laneway. The
 * agent sets the tag for services and hosts in scope and removes it for all others, on each hop of a redirect anew.
 *
 * Under `LANEWAY_DISABLE` with `all` or `http` it is an agent as Node's own.
 *
 * Errors arrive as `error` of the request: those of Node, and `LANEWAY_NOT_READY`, `LANEWAY_LANE_REQUIRED`,
 * `LANEWAY_NO_BASE`, `LANEWAY_NO_INSTANCES`, `LANEWAY_CLOSED`, `LANEWAY_HEADERS_SENT`.
 */
export class LaneAgent extends Agent {
  /** `undefined` when `LANEWAY_DISABLE` switches it off: then this is an agent like any other. */
  readonly #routing: LaneRouting | undefined

  /**
   * @param options - lanes
   * @param agentOptions - of `http.Agent`; the defaults are those of Node's global agent: `keepAlive: true`,
   *   `scheduling: 'lifo'`, `timeout: 5000`
   * @throws LanewayError `LANEWAY_INVALID_OPTION`
   */
  constructor(options: LaneAgentOptions = {}, agentOptions: AgentOptions = {}) {
    super({ ...LIKE_GLOBAL, ...agentOptions })
    if (isDisabled(['http'])) return
    const proxied = (agentOptions as { proxyEnv?: unknown }).proxyEnv !== undefined
    const direct = proxied ? connectDirectly : undefined
    this.#routing = new LaneRouting({ where: 'LaneAgent', agent: this as never, secure: false, direct, node }, options)
  }

  /** Called by `http.request`. */
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
