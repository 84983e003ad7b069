import type { AgentOptions } from 'node:http'
import { LaneAgent } from '../agent/lane-agent.js'
import { LaneHttpsAgent } from '../agent/lane-https-agent.js'
import type { AnyAgent } from '../node-internals.js'
import type { LaneAgentOptions, ResolvedLaneAgentOptions } from '../options.js'
import { isForeign, optionsOfForeign } from './foreign-agent.js'

interface Shadows {
  plain: LaneAgent | undefined
  secure: LaneHttpsAgent | undefined
}

/** Lane agents that take requests to services over from agents which are proxies, or none of Node's. */
export class ShadowAgents {
  readonly #settings: ResolvedLaneAgentOptions
  readonly #byAgent = new WeakMap<object, Shadows>()

  constructor(settings: ResolvedLaneAgentOptions) {
    this.#settings = settings
  }

  of(agent: AnyAgent, secure: boolean): LaneAgent | LaneHttpsAgent {
    let both = this.#byAgent.get(agent)
    if (both === undefined) {
      both = { plain: undefined, secure: undefined }
      this.#byAgent.set(agent, both)
    }
    const settings = this.#settings as LaneAgentOptions
    if (secure) {
      both.secure ??= new LaneHttpsAgent(settings, optionsOf(agent))
      return both.secure
    }
    both.plain ??= new LaneAgent(settings, optionsOf(agent))
    return both.plain
  }

  /** Destroys the lane agents of an agent. */
  destroy(agent: object): void {
    const both = this.#byAgent.get(agent)
    both?.plain?.destroy()
    both?.secure?.destroy()
  }
}

/** The options that the user's agent was made with, and what was changed on it since. */
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
