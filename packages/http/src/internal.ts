// For the other @laneway packages. Nothing here is public: any release may change it.

export { type AgentPatch, createAgentPatch } from './patch/agent-patch.js'
