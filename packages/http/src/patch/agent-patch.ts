import type { Agent, AgentOptions, ClientRequest } from 'node:http'
import type { Socket } from 'node:net'
import { kRouting } from '../agent/agent-in-agent.js'
import { createSocket } from '../agent/create-socket.js'
import { LaneAgent } from '../agent/lane-agent.js'
import { type LaneAgentOptions, resolveLaneAgentOptions } from '../agent/lane-agent-options.js'
import { LaneHttpsAgent } from '../agent/lane-https-agent.js'
import { hopAgent, isLaneAgent, lead, serviceOf } from '../agent/lane-routing.js'
import { kGiveBack } from '../hop/leave-proxy.js'
import type { HopAgent } from '../hop/service-hop.js'
import {
  type AgentInternals,
  type AnyAgent,
  type CreateConnection,
  classOf,
  type HopOptions,
  hopOptions,
} from '../node-internals.js'
import { tagMockedRequests } from '../request/mocked-request.js'
import { OutgoingLane } from '../request/outgoing-lane.js'
import { type Target, targetOf } from '../request/target.js'
import { type ConnectionOwner, EndpointConnection } from '../sockets/endpoint-connection.js'
import { poolName } from '../sockets/endpoint-pool.js'
import { EndpointSockets, mayKeep } from '../sockets/endpoint-sockets.js'
import { type ForeignAgent, hasAddRequest, isForeign, isProxy, isReplaced, optionsOfForeign } from './foreign-agent.js'
import { agentOfCall, connectionOfCall, targetOfCall, withConnection } from './request-arguments.js'

type Method = (...args: any[]) => any

/**
 * Puts the lane into requests whose users know nothing of it.
 */
export interface AgentPatch {
  /**
   * Replaces `addRequest`, `createSocket`, `getName`, `keepSocketAlive` and `destroy` of `http.Agent.prototype`, which every
   * request with an agent passes; `https.Agent` inherits them.
   */
  patchAgents(prototype: Agent): void
  /**
   * Wraps `request` of `http` or `https`, for requests that bring `createConnection` and no agent, or an agent whose
   * `addRequest` is not that of `http.Agent`.
   *
   * @param globalAgent - tells the agent of a request that brings none
   */
  wrapRequest<F extends (...args: any[]) => ClientRequest>(original: F, secure: boolean, globalAgent?: () => unknown): F
  /**
   * Lets mocks see the tag that replace `http.ClientRequest`, as nock does up to version 13.
   *
   * @param prototype - that of `http.ClientRequest`
   */
  patchMocks(prototype: ClientRequest): void
}

/** What an agent has for methods unless its class or its user has replaced them. */
type Patched = Pick<AgentInternals, 'addRequest' | 'createSocket' | 'getName' | 'keepSocketAlive'> &
  Pick<Agent, 'destroy'>

/** An agent with one of these of its own gets its connections in its own way, through a proxy for instance. */
const OWN_WAY = ['addRequest', 'createSocket'] as const

/** Of a connection whose request is not known yet. */
const NOBODY: ConnectionOwner = { next: () => undefined, connected() {}, letThrough() {} }

interface Shadows {
  plain: LaneAgent | undefined
  secure: LaneHttpsAgent | undefined
}

/**
 * A request to a service keeps its agent, which pools its connections under the address of the endpoint. Where the agent
 * is a proxy, or none of Node's, a lane agent in its shadow takes the request over. Every other request stays with the
 * user's agent and has its tag set or removed.
 *
 * @param onFault - told of a fault of Laneway's own; the request then goes on as if it were not there
 * @throws LanewayError `LANEWAY_INVALID_OPTION`
 */
export function createAgentPatch(options: LaneAgentOptions, onFault: (error: unknown) => void): AgentPatch {
  const settings = resolveLaneAgentOptions('createAgentPatch', options, onFault)
  const { resolver, connectTimeoutMs, endpointTls } = settings
  const sockets = resolver === undefined ? undefined : new EndpointSockets(resolver)
  const shadows = new WeakMap<object, Shadows>()
  const hops = new WeakMap<object, HopAgent>()
  const adopted = new WeakSet<object>()
  let patched: Partial<Patched> = {}
  const withoutPool: HopAgent | undefined = resolver && {
    resolver,
    connectTimeoutMs,
    endpointTls,
    mayMeetTls: false,
    onFault,
    agent: undefined,
    late: false,
    sockets: undefined,
    // The request has asked for its connection by itself.
    connect() {},
  }

  function shadowOf(agent: AnyAgent, secure: boolean): LaneAgent | LaneHttpsAgent {
    let both = shadows.get(agent)
    if (both === undefined) {
      both = { plain: undefined, secure: undefined }
      shadows.set(agent, both)
    }
    if (secure) both.secure ??= new LaneHttpsAgent(settings as LaneAgentOptions, optionsOf(agent))
    else both.plain ??= new LaneAgent(settings as LaneAgentOptions, optionsOf(agent))
    return (secure ? both.secure : both.plain)!
  }

  function hopsOf(agent: AnyAgent, original: Method): HopAgent {
    let known = hops.get(agent)
    if (known === undefined) {
      known = hopAgent(settings, resolver!, agent, false, sockets!, original)
      hops.set(agent, known)
      const { getName } = agent
      if (isReplaced(agent, 'getName', patched)) {
        agent.getName = function getNameOfEndpoint(options: HopOptions): string {
          return poolName(this, getName, options, false)
        }
      }
    }
    return known
  }

  /** @returns whether the request is under way; else the user's own agent takes it, and the tag is as it must be */
  function route(agent: AnyAgent, request: ClientRequest, hop: HopOptions, original: Method): boolean {
    if (hop.socketPath || agent.options?.socketPath) return false
    const secure = request.protocol === 'https:'
    const target = targetOf(request, hop, secure)
    const service = serviceOf(resolver, target, secure)
    if (service === undefined) {
      new OutgoingLane(request, hop, target, undefined, settings)
      return false
    }
    if (target.originForm !== undefined || isProxy(agent) || OWN_WAY.some(name => isReplaced(agent, name, patched))) {
      const giveBack = () => original.call(agent, request, hop)
      shadowOf(agent, secure).addRequest(request, { ...hop, [kGiveBack]: giveBack })
    } else {
      const outgoing = new OutgoingLane(request, hop, target, service, settings)
      lead(hopsOf(agent, original), request, outgoing, service, { ...hop })
    }
    return true
  }

  function wrapAddRequest<F extends (...args: any[]) => void>(original: F): F {
    const wrapped = function addRequest(
      this: AnyAgent,
      request: ClientRequest,
      options: any,
      port?: unknown,
      localAddress?: unknown,
    ): unknown {
      if (isLaneAgent(this)) return original.call(this, request, options, port, localAddress)
      const hop = hopOptions(options, port, localAddress)
      try {
        if (route(this, request, hop, original)) return undefined
      } catch (error) {
        if (isHeadersSent(error)) {
          classOf(request).onSocket.call(request, undefined, error as Error)
          return undefined
        }
        onFault(error)
      }
      return original.call(this, request, options, port, localAddress)
    }
    wrapped[kRouting] = true
    return wrapped as never
  }

  /** An agent with an `addRequest` of its own: it is found when it is first used. */
  function adopt(agent: ForeignAgent): void {
    if (adopted.has(agent)) return
    adopted.add(agent)
    agent.addRequest = wrapAddRequest(agent.addRequest)
  }

  function patchAgents(prototype: Agent): void {
    const { addRequest, createSocket: open, getName, keepSocketAlive, destroy } = prototype as unknown as AnyAgent
    patched = {
      addRequest: wrapAddRequest(addRequest),
      createSocket(this: AnyAgent, request, options, done) {
        if (isLaneAgent(this)) open.call(this, request, options, done)
        else createSocket(this, open, undefined, connectTimeoutMs, request, options, done)
      },
      getName(this: AnyAgent, options) {
        return poolName(this, getName, options, true)
      },
      keepSocketAlive(this: AnyAgent, socket) {
        return mayKeep(socket) && keepSocketAlive.call(this, socket)
      },
      destroy(this: AnyAgent) {
        const both = shadows.get(this)
        both?.plain?.destroy()
        both?.secure?.destroy()
        return destroy.call(this)
      },
    }
    Object.assign(prototype, patched)
  }

  function tagMocked(request: ClientRequest, options: HopOptions, secure: boolean): void {
    try {
      const target = targetOf(request, options, secure)
      new OutgoingLane(request, options, target, serviceOf(resolver, target, secure), settings)
    } catch (error) {
      onFault(error)
    }
  }

  return {
    patchAgents,
    patchMocks(prototype) {
      tagMockedRequests(prototype, tagMocked)
    },
    wrapRequest(original, secure, globalAgent) {
      const request = function request(...args: any[]): ClientRequest {
        const connection = connectionOfCall(args)
        try {
          const agent = agentOfCall(args) ?? (connection === undefined ? globalAgent?.() : undefined)
          if (hasAddRequest(agent) && isReplaced(agent, 'addRequest', patched)) adopt(agent)
        } catch (error) {
          onFault(error)
        }
        return connection === undefined ? original(...args) : withoutAgent(original, args, connection, secure)
      }
      return request as never
    },
  }

  /** A request that brings its connection; its head can still be changed, because it gets its socket one tick later. */
  function withoutAgent(original: Method, args: unknown[], connect: Method, secure: boolean): ClientRequest {
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
            connection = new EndpointConnection(undefined, NOBODY, connectTimeoutMs)
            socket = connection.open(connect as CreateConnection, undefined, options, done)
            return socket
          })
    const made = original(...routed) as ClientRequest
    try {
      const hop = { host: target.hostname, port: target.port ?? (target.secure ? 443 : 80) }
      const outgoing = new OutgoingLane(made, hop, target, service, settings)
      if (service === undefined) return made
      const led = lead(withoutPool!, made, outgoing, service, hop)
      if (led === undefined) (connection as EndpointConnection | undefined)?.start(hop)
      else if (socket !== undefined) led.receivedBefore(socket)
    } catch (error) {
      if (isHeadersSent(error)) made.destroy(error as Error)
      else onFault(error)
    }
    return made
  }
}

function isHeadersSent(error: unknown): boolean {
  return (error as { code?: unknown }).code === 'LANEWAY_HEADERS_SENT'
}

/** What the user's agent was made with, and what was changed on it since. */
function optionsOf(agent: AnyAgent): AgentOptions {
  if (isForeign(agent)) return optionsOfForeign(agent)
  const { keepAlive, maxSockets, maxFreeSockets, maxTotalSockets, scheduling, options } = agent as any
  return {
    timeout: undefined,
    ...options,
    keepAlive,
    maxSockets,
    maxFreeSockets,
    maxTotalSockets,
    scheduling,
  } as AgentOptions
}
