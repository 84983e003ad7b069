import { Agent, type AgentOptions } from 'node:http'
import { globalAgent, type AgentOptions as SecureAgentOptions } from 'node:https'

/** An agent that is no `http.Agent`: a patch of that class does not reach it. */
export interface ForeignAgent {
  addRequest(...args: any[]): void
}

/** Whether an agent is foreign, as those of `agent-base` up to 6 and of `https-proxy-agent` 5, which axios brings. */
export function isForeign(agent: unknown): agent is ForeignAgent {
  return (
    typeof agent === 'object' &&
    agent !== null &&
    !(agent instanceof Agent) &&
    typeof (agent as Partial<ForeignAgent>).addRequest === 'function'
  )
}

/** Whether a value can be used as an agent. */
export function hasAddRequest(agent: unknown): agent is ForeignAgent {
  return typeof (agent as Partial<ForeignAgent> | null | undefined)?.addRequest === 'function'
}

/**
 * Whether a method of an agent is neither that of `http.Agent` nor the patched one.
 *
 * @param patched - the patched methods
 */
export function isReplaced(agent: object, name: string, patched: object): boolean {
  const method = (agent as Record<string, unknown>)[name]
  return (
    method !== (patched as Record<string, unknown>)[name] &&
    method !== (Agent.prototype as unknown as Record<string, unknown>)[name]
  )
}

/**
 * Whether an agent connects to a proxy instead of the origin: by Node's `proxyEnv`, or by the properties in which proxy
 * agents keep their proxy.
 */
export function isProxy(agent: object): boolean {
  const { options, proxy, proxyOptions } = agent as {
    options?: { proxyEnv?: unknown }
    proxy?: unknown
    proxyOptions?: unknown
  }
  return Boolean(options?.proxyEnv ?? proxy ?? proxyOptions)
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

/** Options of a lane agent that stands in for a foreign agent. Like that one it makes a connection for each request. */
export function optionsOfForeign(agent: ForeignAgent): AgentOptions {
  return { timeout: undefined, keepAlive: false, ...(isTunnelOfAxios(agent) && securityOfAxios(agent)) } as AgentOptions
}

/** axios puts its own agent in place of the user's when the environment names a proxy; it says so by a symbol. */
function isTunnelOfAxios(agent: ForeignAgent): boolean {
  return Object.getOwnPropertySymbols(agent).some(({ description }) => description === 'axios.http.installedTunnel')
}

/** The trust that the user's agent would have had: axios copies its options beside those of the proxy. */
function securityOfAxios(agent: ForeignAgent): SecureAgentOptions {
  const copied = (agent as { proxy?: Record<string, unknown> }).proxy ?? {}
  const given: Record<string, unknown> = { ...globalAgent.options }
  for (const name of SECURITY) if (copied[name] !== undefined) given[name] = copied[name]
  return given
}
