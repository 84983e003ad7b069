import type { Agent } from 'node:http'
import { urlToHttpOptions } from 'node:url'
import type { HopOptions } from './node-internals.js'
import type { Target } from './target.js'

/** Whether the arguments of `http.request` bring a connection of their own, which no agent is asked for. */
export function connectsItself(args: readonly unknown[]): boolean {
  const { createConnection, agent } = Object(optionsOf(args)) as { createConnection?: unknown; agent?: unknown }
  return typeof createConnection === 'function' && (agent === undefined || agent === null)
}

/** The agent that the arguments bring, if any. */
export function agentOfCall(args: readonly unknown[]): unknown {
  return (optionsOf(args) as { agent?: unknown } | undefined)?.agent
}

/** Where such a request is meant to go; `undefined` for a unix socket, a tunnel, and what Node will refuse. */
export function targetOfCall(args: readonly unknown[], secure: boolean): Target | undefined {
  const [first] = args
  const url = typeof first === 'string' ? new URL(first) : first instanceof URL ? first : undefined
  const options = { ...(url === undefined ? {} : urlToHttpOptions(url)), ...optionsOf(args) } as HopOptions
  if (options.socketPath || options['method'] === 'CONNECT') return undefined
  const hostname = options.hostname || options.host || 'localhost'
  return {
    hostname: hostname.replace(/^\[|\]$/g, ''),
    port: options.port === undefined || options.port === null || options.port === '' ? undefined : Number(options.port),
    secure: options['protocol'] === undefined ? secure : options['protocol'] === 'https:',
    originForm: undefined,
    authority: undefined,
    tunnel: false,
  }
}

/** The same arguments with an agent in place of the connection. */
export function withAgent(args: readonly unknown[], agent: Agent): unknown[] {
  const given = optionsOf(args)
  return args.map(arg => (arg === given ? { ...given, agent, createConnection: undefined } : arg))
}

function optionsOf(args: readonly unknown[]): object | undefined {
  const [first, second] = args
  const isUrl = typeof first === 'string' || first instanceof URL
  const options = isUrl ? second : first
  return typeof options === 'object' && options !== null ? options : undefined
}
