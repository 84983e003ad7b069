// For users

export { LaneAgent } from './lane-agent.js'
export type { EgressResolver, LaneAgentOptions } from './lane-agent-options.js'
export { laneHandler } from './lane-handler.js'
export { LaneHttpsAgent } from './lane-https-agent.js'
export type { HasLane } from './lane-request.js'
export { laneServer } from './lane-server.js'

// For the other @laneway packages

export { type AgentPatch, createAgentPatch } from './agent-patch.js'
