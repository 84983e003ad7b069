import type { Agent, ClientRequest } from 'node:http'
import { isLeftAlone } from '@laneway/core/internal'
import { isLaneAgent, sendToService, serviceOf } from '../agent/lane-routing.js'
import { createHopAgent, type HopAgent } from '../hop/hop-agent.js'
import { kGiveBack } from '../hop/request-hop.js'
import { kRouting } from '../mock/agent-in-agent.js'
import { tagMockedRequests } from '../mock/mocked-request.js'
import { type AgentInternals, type AnyAgent, classOf, type HopOptions, hopOptions } from '../node-internals.js'
import { type LaneAgentOptions, resolveLaneAgentOptions } from '../options.js'
import { KnownTargets } from '../request/known-targets.js'
import { OutgoingLane } from '../request/outgoing-lane.js'
import { targetOf } from '../request/target.js'
import { createSocket } from '../sockets/create-socket.js'
import { poolName } from '../sockets/endpoint-pool.js'
import { EndpointSockets, mayKeep } from '../sockets/endpoint-sockets.js'
import { type ForeignAgent, hasAddRequest, isProxy, isReplaced } from './foreign-agent.js'
import { agentOfCall, connectionOfCall } from './request-arguments.js'
import { isHeadersSent, requestWithoutAgent } from './request-without-agent.js'
import { ShadowAgents } from './shadow-agents.js'

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
   * @param globalAgent - returns the agent of a request that brings none
   */
  wrapRequest<F extends (...args: any[]) => ClientRequest>(original: F, secure: boolean, globalAgent?: () => unknown): F
  /**
   * Lets mocks that replace `http.ClientRequest`, as nock does up to version 13, see the tag.
   *
   * @param prototype - that of `http.ClientRequest`
   */
  patchMocks(prototype: ClientRequest): void
}

/** The methods that the patch replaces. An agent has them unless its class or its user has replaced them again. */
type Patched = Pick<AgentInternals, 'addRequest' | 'createSocket' | 'getName' | 'keepSocketAlive'> &
  Pick<Agent, 'destroy'>

/** An agent that replaces one of these gets its connections in its own way, such as through a proxy. */
const OWN_WAY = ['addRequest', 'createSocket'] as const

/**
 * A request to a service keeps its agent, which pools its connections under the address of the endpoint. Where the agent
 * is a proxy, or none of Node's, a lane agent takes the request over. Every other request stays with the user's agent, and
 * the patch sets or removes its tag.
 *
 * @param onFault - called with a fault of Laneway's own; the request then goes on without Laneway
 * @throws LanewayError `LANEWAY_INVALID_OPTION`
 */
export function createAgentPatch(options: LaneAgentOptions, onFault: (error: unknown) => void): AgentPatch {
  const settings = resolveLaneAgentOptions('createAgentPatch', options, onFault)
  const { resolver, connectTimeoutMs } = settings
  const sockets = resolver === undefined ? undefined : new EndpointSockets(resolver)
  const targets = new KnownTargets(resolver, false)
  const secureTargets = new KnownTargets(resolver, true)
  const shadows = new ShadowAgents(settings)
  const withoutAgent = requestWithoutAgent(settings, onFault)
  const hops = new WeakMap<object, HopAgent>()
  const adopted = new WeakSet<object>()
  let patched: Partial<Patched> = {}

  function hopsOf(agent: AnyAgent, original: Method): HopAgent {
    let known = hops.get(agent)
    if (known === undefined) {
      known = createHopAgent(settings, resolver!, { agent, late: false, sockets: sockets!, addRequest: original })
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

  /** @returns whether the request is under way; else the tag is final, and the user's own agent takes the request */
  function route(agent: AnyAgent, request: ClientRequest, hop: HopOptions, original: Method): boolean {
    if (hop.socketPath || agent.options?.socketPath) return false
    const secure = request.protocol === 'https:'
    const target = (secure ? secureTargets : targets).of(request, hop)
    const service = serviceOf(resolver, target, secure)
    if (service === undefined) {
      new OutgoingLane(request, hop, target, undefined, settings)
      return false
    }
    if (target.originForm !== undefined || isProxy(agent) || OWN_WAY.some(name => isReplaced(agent, name, patched))) {
      routeByShadow(agent, request, hop, original, secure)
    } else {
      const outgoing = new OutgoingLane(request, hop, target, service, settings)
      sendToService(hopsOf(agent, original), request, outgoing, service, { ...hop })
    }
    return true
  }

  /** A function of its own: a function with a closure in it costs an object at each call, whether or not the closure is made. */
  function routeByShadow(
    agent: AnyAgent,
    request: ClientRequest,
    hop: HopOptions,
    original: Method,
    secure: boolean,
  ): void {
    const giveBack = () => original.call(agent, request, hop)
    shadows.of(agent, secure).addRequest(request, { ...hop, [kGiveBack]: giveBack })
  }

  function wrapAddRequest<F extends (...args: any[]) => void>(original: F): F {
    const wrapped = function addRequest(
      this: AnyAgent,
      request: ClientRequest,
      options: any,
      port?: unknown,
      localAddress?: unknown,
    ): unknown {
      if (isLaneAgent(this) || isLeftAlone()) return original.call(this, request, options, port, localAddress)
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

  /** Patches an agent with an `addRequest` of its own when it is first used. */
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
        else createSocket({ agent: this, open, direct: undefined, timeoutMs: connectTimeoutMs }, request, options, done)
      },
      getName(this: AnyAgent, options) {
        return poolName(this, getName, options, true)
      },
      keepSocketAlive(this: AnyAgent, socket) {
        return mayKeep(socket) && keepSocketAlive.call(this, socket)
      },
      destroy(this: AnyAgent) {
        shadows.destroy(this)
        return destroy.call(this)
      },
    }
    Object.assign(prototype, patched)
  }

  function tagMocked(request: ClientRequest, options: HopOptions, secure: boolean): void {
    if (isLeftAlone()) return
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
        return connection === undefined || isLeftAlone()
          ? original(...args)
          : withoutAgent(original, args, connection, secure)
      }
      return request as never
    },
  }
}
