import type { ClientRequest } from 'node:http'
import type { Socket } from 'node:net'
import { classOf, type HopOptions } from '../node-internals.js'
import { connectionOf, type EndpointConnection } from '../sockets/endpoint-connection.js'
import { leaveQueue } from '../sockets/endpoint-pool.js'
import type { HopAgent } from './hop-agent.js'

/** The socket of a request to a service: asks the agent for it, and ends the request with or without it. */
export class RequestSocket {
  socket: Socket | undefined
  /** The agent was asked for a socket. */
  asked = false
  /** The agent is being asked for a socket; a socket that it gives now was there at once. */
  asking = false
  #corked = false

  constructor(
    readonly request: ClientRequest,
    readonly agent: HopAgent,
    /** Of the connection. */
    readonly options: HopOptions,
  ) {}

  /** `undefined` without a socket, and for one that Laneway did not lead to an endpoint. */
  protected get connection(): EndpointConnection | undefined {
    return connectionOf(this.socket)
  }

  /** Asks the agent for a socket. */
  protected askAgent(): void {
    this.asking = true
    this.asked = true
    try {
      this.agent.connect(this.request, this.options)
    } finally {
      this.asking = false
    }
  }

  /** Takes the request out of the queue of its agent. @returns whether it waited there */
  protected leaveQueue(): boolean {
    const { agent } = this.agent
    return agent !== undefined && this.socket === undefined && leaveQueue(agent, this.request, this.options)
  }

  /** Keeps the head of the request until it is known where the request goes. */
  protected cork(): void {
    this.#corked = true
    this.socket?.cork()
  }

  protected uncork(): void {
    if (!this.#corked) return
    this.#corked = false
    this.socket?.uncork()
  }

  /** Notes a connection that the agent may keep, so that it is closed when the endpoint leaves. */
  protected keep(address: string | undefined, socket: Socket): void {
    const { agent, sockets } = this.agent
    const connection = connectionOf(socket)
    if (sockets !== undefined && agent?.keepAlive === true && address !== undefined && connection !== undefined) {
      sockets.add(address, socket, agent, connection)
    }
  }

  /** Ends the request. @param error - `undefined` when its user destroyed it: Node then reports the error of `destroy` */
  protected endRequest(error: Error | undefined): void {
    const { connection } = this
    if (this.socket === undefined) classOf(this.request).onSocket.call(this.request, undefined, error)
    else if (connection !== undefined && !connection.done && error !== undefined) connection.fail(error)
    else this.request.destroy(error)
  }
}
