import { urlToHttpOptions } from 'node:url'
import type { HopOptions } from '../node-internals.js'
import type { Target } from '../request/target.js'

/** The `createConnection` that the arguments of `http.request` bring when they bring no agent. */
export function connectionOfCall(args: readonly unknown[]): ((...args: any[]) => any) | undefined {
  const { createConnection, agent } = Object(optionsOf(args)) as { createConnection?: unknown; agent?: unknown }
  if (typeof createConnection !== 'function' || (agent !== undefined && agent !== null)) return undefined
  return createConnection as (...args: any[]) => any
}

/** The agent that the arguments bring, if any. */
export function agentOfCall(args: readonly unknown[]): unknown {
  return (optionsOf(args) as { agent?: unknown } | undefined)?.agent
}

/** Where such a request is meant to go; `undefined` for a unix socket, a tunnel, and arguments that Node will refuse. */
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
    handle: undefined,
  }
}

/** The same arguments with another way to connect. */
export function withConnection(args: readonly unknown[], createConnection: (...args: any[]) => any): unknown[] {
  const given = optionsOf(args)
  return args.map(arg => (arg === given ? { ...given, createConnection } : arg))
}

function optionsOf(args: readonly unknown[]): object | undefined {
  const [first, second] = args
  const isUrl = typeof first === 'string' || first instanceof URL
  const options = isUrl ? second : first
  return typeof options === 'object' && options !== null ? options : undefined
}
