// For users

export { LaneAgent } from './lane-agent.js'
export type { EgressResolver, LaneAgentOptions } from './lane-agent-options.js'
export { LaneHttpsAgent } from './lane-https-agent.js'
export type { WithLane } from './lane-request.js'
export { laneServer } from './lane-server.js'
export { withLane } from './with-lane.js'

// For the other @laneway packages

export { type AgentPatch, createAgentPatch } from './agent-patch.js'
