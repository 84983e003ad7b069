import { Agent, type AgentOptions } from 'node:http'
import { globalAgent, type AgentOptions as SecureAgentOptions } from 'node:https'

/** An agent that is no `http.Agent`: what is put into that class does not reach it. */
export interface ForeignAgent {
  addRequest(...args: any[]): void
}

/** Whether an agent is one, as `agent-base` up to 6 makes them and with it `https-proxy-agent` 5, which axios brings. */
export function isForeign(agent: unknown): agent is ForeignAgent {
  return (
    typeof agent === 'object' &&
    agent !== null &&
    !(agent instanceof Agent) &&
    typeof (agent as Partial<ForeignAgent>).addRequest === 'function'
  )
}

const SECURITY = [
  'ca',
  'cert',
  'ciphers',
  'checkServerIdentity',
  'key',
  'maxVersion',
  'minVersion',
  'passphrase',
  'pfx',
  'rejectUnauthorized',
  'secureContext',
] as const satisfies readonly (keyof SecureAgentOptions)[]

/** Options of an agent in place of one: like it, a connection for each request. */
export function optionsOfForeign(agent: ForeignAgent): AgentOptions {
  return { timeout: undefined, keepAlive: false, ...(isTunnelOfAxios(agent) && securityOfAxios(agent)) } as AgentOptions
}

/** axios puts its own agent in place of the user's when the environment names a proxy; it says so by a symbol. */
function isTunnelOfAxios(agent: ForeignAgent): boolean {
  return Object.getOwnPropertySymbols(agent).some(({ description }) => description === 'axios.http.installedTunnel')
}

/** How the user's agent would have trusted: axios copies its options beside those of the proxy. */
function securityOfAxios(agent: ForeignAgent): SecureAgentOptions {
  const copied = (agent as { proxy?: Record<string, unknown> }).proxy ?? {}
  const given: Record<string, unknown> = { ...globalAgent.options }
  for (const name of SECURITY) if (copied[name] !== undefined) given[name] = copied[name]
  return given
}
