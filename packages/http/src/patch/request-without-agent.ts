import type { ClientRequest } from 'node:http'
import type { Socket } from 'node:net'
import { hopWithoutAgent } from '../hop/hop-agent.js'
import { sendToService, serviceOf } from '../hop/send-to-service.js'
import type { CreateConnection, HopOptions } from '../node-internals.js'
import type { ResolvedLaneAgentOptions } from '../options.js'
import { OutgoingLane } from '../request/outgoing-lane.js'
import type { Target } from '../request/target.js'
import { type ConnectionOwner, EndpointConnection } from '../sockets/endpoint-connection.js'
import { targetOfCall, withConnection } from './request-arguments.js'

type Method = (...args: any[]) => any

/** Of a connection whose request is not known yet. */
const NO_OWNER: ConnectionOwner = { next: () => undefined, connected() {}, mockPassedOn() {} }

/** Makes a request that brings its connection (`createConnection`) and no agent. */
export type RequestWithoutAgent = (
  original: Method,
  args: unknown[],
  connect: CreateConnection,
  secure: boolean,
) => ClientRequest

/**
 * For requests without an agent. The head of such a request can still be changed, because it gets its socket one tick later.
 *
 * @param onFault - called with a fault of Laneway's own; the request then goes on without Laneway
 */
export function requestWithoutAgent(
  settings: ResolvedLaneAgentOptions,
  onFault: (error: unknown) => void,
): RequestWithoutAgent {
  const { resolver, connectTimeoutMs } = settings
  const hops = resolver && hopWithoutAgent(settings, resolver)

  return (original, args, connect, secure) => {
    let target: Target | undefined
    let service: string | undefined
    try {
      target = targetOfCall(args, secure)
      service = target === undefined ? undefined : serviceOf(resolver, target, target.secure)
    } catch (error) {
      onFault(error)
    }
    if (target === undefined) return original(...args) as ClientRequest
    let connection: EndpointConnection | undefined
    let socket: Socket | undefined
    const routed =
      service === undefined
        ? args
        : withConnection(args, (options: HopOptions, done: any) => {
            connection = new EndpointConnection(undefined, NO_OWNER, connectTimeoutMs)
            socket = connection.open(connect, undefined, options, done)
            return socket
          })
    const made = original(...routed) as ClientRequest
    try {
      const hop = { host: target.hostname, port: target.port ?? (target.secure ? 443 : 80) }
      const outgoing = new OutgoingLane(made, hop, target, service, settings)
      if (service === undefined) return made
      const sent = sendToService(hops!, made, outgoing, service, hop)
      if (sent === undefined) (connection as EndpointConnection | undefined)?.start(hop)
      else if (socket !== undefined) sent.receivedBefore(socket)
    } catch (error) {
      if (isHeadersSent(error)) made.destroy(error as Error)
      else onFault(error)
    }
    return made
  }
}

/** Whether the head of a request was written before Laneway could change it: the request must not go out then. */
export function isHeadersSent(error: unknown): boolean {
  return (error as { code?: unknown }).code === 'LANEWAY_HEADERS_SENT'
}
