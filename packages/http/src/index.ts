// For users

export { LaneAgent } from './agent/lane-agent.js'
export { LaneHttpsAgent } from './agent/lane-https-agent.js'
export type { EgressResolver, LaneAgentOptions } from './options.js'
export { laneHandler } from './server/lane-handler.js'
export type { HasLane } from './server/lane-request.js'
export { laneServer } from './server/lane-server.js'

// For the other @laneway packages

export { type AgentPatch, createAgentPatch } from './patch/agent-patch.js'
