import type { Agent, AgentOptions, ClientRequest } from 'node:http'
import { type ForeignAgent, isForeign, optionsOfForeign } from './foreign-agent.js'
import { LaneAgent } from './lane-agent.js'
import { type LaneAgentOptions, type ResolvedLaneAgentOptions, resolveLaneAgentOptions } from './lane-agent-options.js'
import { LaneHttpsAgent } from './lane-https-agent.js'
import { isLaneAgent, serviceOf } from './lane-routing.js'
import { classOf, type HopOptions, hopOptions } from './node-internals.js'
import { OutgoingLane } from './outgoing-lane.js'
import { agentOfCall, connectsItself, targetOfCall, withAgent } from './request-arguments.js'
import { type Target, targetOf } from './target.js'

/**
 * Puts the lane into requests whose users know nothing of it. Replace
 *
 * - `addRequest` and `destroy` of `http.Agent.prototype` (`https.Agent` inherits both), which every request with an agent
 *   passes;
 * - `request` and `get` of `http` and `https`, for requests that bring `createConnection` and no agent, or an agent that
 *   is no `http.Agent`.
 */
export interface AgentPatch {
  wrapAddRequest<F extends (...args: any[]) => void>(original: F): F
  wrapDestroy<F extends () => unknown>(original: F): F
  wrapRequest<F extends (...args: any[]) => ClientRequest>(original: F, secure: boolean): F
}

type UserAgent = Agent & {
  readonly options: AgentOptions & { socketPath?: unknown }
  readonly keepAlive: boolean
  readonly scheduling: 'fifo' | 'lifo'
}

interface Shadows {
  plain: LaneAgent | undefined
  secure: LaneHttpsAgent | undefined
}

/**
 * A request to a service goes to a lane agent in the shadow of the user's, with its options; every other one stays with
 * the user's agent and has its tag set or removed.
 *
 * @param onFault - told of a fault of Laneway's own; the request then goes on as if it were not there
 * @throws LanewayError `LANEWAY_INVALID_OPTION`
 */
export function createAgentPatch(options: LaneAgentOptions, onFault: (error: unknown) => void): AgentPatch {
  const settings = resolveLaneAgentOptions('createAgentPatch', options, onFault)
  const shadows = new WeakMap<object, Shadows>()
  const adopted = new WeakSet<object>()

  function shadowOf(agent: UserAgent, secure: boolean): LaneAgent | LaneHttpsAgent {
    let both = shadows.get(agent)
    if (both === undefined) {
      both = { plain: undefined, secure: undefined }
      shadows.set(agent, both)
    }
    if (secure) both.secure ??= new LaneHttpsAgent(settings as LaneAgentOptions, optionsOf(agent))
    else both.plain ??= new LaneAgent(settings as LaneAgentOptions, optionsOf(agent))
    return (secure ? both.secure : both.plain)!
  }

  /** @returns the agent that takes the request over; `undefined`: the user's own does, and the tag is as it must be */
  function route(agent: UserAgent, request: ClientRequest, hop: HopOptions): LaneAgent | LaneHttpsAgent | undefined {
    if (hop.socketPath || agent.options?.socketPath) return undefined
    const secure = isSecure(request)
    const target = targetOf(request, hop, secure)
    if (serviceOf(settings.resolver, target, secure) !== undefined) return shadowOf(agent, secure)
    new OutgoingLane(request, hop, target, undefined, settings)
    return undefined
  }

  function wrapAddRequest<F extends (...args: any[]) => void>(original: F): F {
    const addRequest = function addRequest(
      this: UserAgent,
      request: ClientRequest,
      options: any,
      port?: unknown,
      localAddress?: unknown,
    ): unknown {
      if (isLaneAgent(this)) return original.call(this, request, options, port, localAddress)
      let shadow: LaneAgent | LaneHttpsAgent | undefined
      const hop = hopOptions(options, port, localAddress)
      try {
        shadow = route(this, request, hop)
      } catch (error) {
        if (isHeadersSent(error)) {
          classOf(request).onSocket.call(request, undefined, error as Error)
          return undefined
        }
        onFault(error)
      }
      if (shadow === undefined) return original.call(this, request, options, port, localAddress)
      return shadow.addRequest(request, hop)
    }
    return addRequest as never
  }

  /** An agent of another class than Node's has a method of its own: it is found when it is first used. */
  function adopt(agent: ForeignAgent): void {
    if (adopted.has(agent)) return
    adopted.add(agent)
    agent.addRequest = wrapAddRequest(agent.addRequest)
  }

  return {
    wrapAddRequest,
    wrapDestroy(original) {
      const destroy = function destroy(this: UserAgent): unknown {
        const both = shadows.get(this)
        both?.plain?.destroy()
        both?.secure?.destroy()
        return original.call(this)
      }
      return destroy as never
    },
    wrapRequest(original, secure) {
      const request = function request(...args: any[]): ClientRequest {
        const agent = agentOfCall(args)
        if (isForeign(agent)) {
          try {
            adopt(agent)
          } catch (error) {
            onFault(error)
          }
        }
        if (!connectsItself(args)) return original(...args)
        let target: Target | undefined
        let routed: unknown[] | undefined
        try {
          target = targetOfCall(args, secure)
          if (target !== undefined && serviceOf(settings.resolver, target, target.secure) !== undefined) {
            routed = withAgent(args, oneOff(settings, target.secure))
          }
        } catch (error) {
          onFault(error)
        }
        if (routed !== undefined) return original(...routed)
        const made = original(...args)
        if (target !== undefined) tag(made, target)
        return made
      }
      return request as never
    },
  }

  /** The request has no agent; its head can still be changed, because it gets its socket one tick later. */
  function tag(request: ClientRequest, target: Target): void {
    try {
      new OutgoingLane(request, { host: target.hostname, port: target.port }, target, undefined, settings)
    } catch (error) {
      if (isHeadersSent(error)) request.destroy(error as Error)
      else onFault(error)
    }
  }
}

function oneOff(settings: ResolvedLaneAgentOptions, secure: boolean): LaneAgent | LaneHttpsAgent {
  const once = { keepAlive: false, timeout: undefined } as AgentOptions
  return secure
    ? new LaneHttpsAgent(settings as LaneAgentOptions, once)
    : new LaneAgent(settings as LaneAgentOptions, once)
}

function isSecure(request: ClientRequest): boolean {
  return request.protocol === 'https:'
}

function isHeadersSent(error: unknown): boolean {
  return (error as { code?: unknown }).code === 'LANEWAY_HEADERS_SENT'
}

/** What the user's agent was made with, and what was changed on it since. */
function optionsOf(agent: UserAgent): AgentOptions {
  if (isForeign(agent)) return optionsOfForeign(agent)
  const { keepAlive, maxSockets, maxFreeSockets, maxTotalSockets, scheduling, options } = agent
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
