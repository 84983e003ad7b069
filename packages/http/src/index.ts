// For users

export { LaneAgent } from './agent/lane-agent.js'
export { LaneHttpsAgent } from './agent/lane-https-agent.js'
export type { EgressResolver, LaneAgentOptions } from './options.js'
export type { WithLane } from './server/lane-request.js'
export { laneServer } from './server/lane-server.js'
export { withLane } from './server/with-lane.js'

// For the other @laneway packages

export { type AgentPatch, createAgentPatch } from './patch/agent-patch.js'
