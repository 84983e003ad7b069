import type { ClientRequest } from 'node:http'
import { type EgressScope, parseHost, parseHostHeader, type ServiceHandle } from '@laneway/core/internal'
import type { Choice } from '@laneway/discovery'
import type { HopOptions } from '../node-internals.js'

/** Where a request is meant to go, whatever it is sent through. */
export interface Target {
  /** As in a URL. */
  readonly hostname: string
  /** `undefined`: the default of the scheme. */
  readonly port: number | undefined
  readonly secure: boolean
  /** Set on a request to a proxy in absolute form: its path in a request without the proxy. */
  readonly originForm: string | undefined
  /** Set with `originForm`: the value of `Host`. */
  readonly authority: string | undefined
  /** A CONNECT: Laneway does not route the bytes that follow. */
  readonly tunnel: boolean
  /** For targets that are kept, see `known-targets.ts`; `undefined`: the resolver is asked by name. */
  readonly handle: ServiceHandle<Choice> | undefined
}

/** Stands for a `Host` that cannot be read, in warnings too: it is in no scope. */
const UNREADABLE = 'an unreadable Host'
const SLASH = 47
const COLON = 58

/** Whether the options, and not the path, say where a request is meant to go. */
export function isInOriginForm({ path }: ClientRequest): boolean {
  return path.charCodeAt(0) === SLASH
}

export function portOf({ port }: HopOptions): number | undefined {
  return port === undefined || port === null ? undefined : Number(port)
}

/** The target of a request: of its URL in absolute form, of CONNECT, else of the options. Never throws. */
export function targetOf(request: ClientRequest, options: HopOptions, secure: boolean): Target {
  const { path } = request
  if (!isInOriginForm(request)) {
    const url = request.method === 'CONNECT' ? parse(`http://${path}`) : parse(path)
    if (url !== undefined) {
      const { protocol } = url
      const tunnel = request.method === 'CONNECT'
      return {
        hostname: url.hostname,
        port: url.port === '' ? undefined : Number(url.port),
        secure: protocol === 'https:',
        originForm: tunnel ? undefined : `${url.pathname}${url.search}`,
        authority: tunnel ? undefined : url.host,
        tunnel,
        handle: undefined,
      }
    }
  }
  return {
    hostname: options.host ?? 'localhost',
    port: portOf(options),
    secure,
    originForm: undefined,
    authority: undefined,
    tunnel: false,
    handle: undefined,
  }
}

/**
 * The host whose scope counts. Usually that is the host of the target. An address says where a request is sent, but not to
 * whom: a proxy may listen on loopback. Then a `Host` that the caller set names the target, and both have to be in scope. A
 * `Host` that cannot be read is in no scope.
 *
 * @param hosts - the values of `Host`
 */
export function scopeHost(
  target: Target,
  hosts: string | readonly string[] | undefined,
  scope: Pick<EgressScope, 'includes'>,
): string {
  const { hostname } = target
  if (hosts === undefined || target.originForm !== undefined || target.tunnel) return hostname
  if (typeof hosts === 'string' && isOwnHost(hosts, hostname)) return hostname
  // Read as a resolver does: `127.1`, `2130706433` and `localhost.` are addresses, too.
  const own = parseHost(hostname)
  if (own === undefined || (own.family === 0 && own.name !== 'localhost') || !scope.includes(hostname)) return hostname
  for (const host of typeof hosts === 'string' ? [hosts] : hosts) {
    const named = parseHostHeader(host)
    if (named === undefined) return UNREADABLE
    if (named.name !== own.name) return named.name
  }
  return hostname
}

/** Whether a `Host` is the one that Node makes of a host name, with or without a port. Written by hand: the usual case. */
function isOwnHost(host: string, hostname: string): boolean {
  if (!host.startsWith(hostname)) return false
  if (host.length === hostname.length) return true
  if (host.charCodeAt(hostname.length) !== COLON || host.length > hostname.length + 6 || hostname.includes(':'))
    return false
  let port = 0
  for (let index = hostname.length + 1; index < host.length; index++) {
    const code = host.charCodeAt(index)
    if (code < 48 || code > 57) return false
    port = port * 10 + code - 48
  }
  return port <= 65_535
}

function parse(text: string): URL | undefined {
  try {
    const url = new URL(text)
    return url.protocol === 'http:' || url.protocol === 'https:' ? url : undefined
  } catch {
    return undefined
  }
}
