import { isIP } from 'node:net'

/** Where a channel leads, as its target says. */
export interface ChannelTarget {
  /** The hosts that decide whether the tag is sent; empty for a unix socket, whose calls stay unchanged. */
  readonly hosts: readonly string[]
  /** What a resolver may know as a service: a host name, or the only address of the target. */
  readonly hostname: string | undefined
  readonly port: number | undefined
  /** The host that the server sees, and the name that TLS checks, without Laneway. */
  readonly authority: string
}

const SCHEME = /^([A-Za-z][A-Za-z0-9+.-]*):(?:\/\/([^/]*)\/)?(.*)$/

/**
 * Reads the target of a channel: `host:port`, `dns:host:port`, `dns://server/host:port`, `ipv4:a:1,b:2`, `ipv6:[a]:1`,
 * `unix:path`; see https://github.com/grpc/grpc/blob/master/doc/naming.md. A name of another scheme (`xds:///name`) is a
 * host for the scope of the tag and nothing that a resolver knows. Never throws.
 */
export function readTarget(target: string): ChannelTarget {
  const match = SCHEME.exec(target)
  const scheme = match?.[1]?.toLowerCase()
  const path = match?.[3] ?? target
  if (scheme === 'unix' || scheme === 'unix-abstract') return unrouted(path)
  if (scheme === 'ipv4' || scheme === 'ipv6') return addresses(path)
  if (scheme === 'dns') return named(path)
  // `sc-b:50051` reads like a scheme: only what has slashes, or no number behind the colon, is one.
  if (scheme === undefined || match?.[2] === undefined) return named(target)
  return { hosts: [splitPort(path).hostname], hostname: undefined, port: undefined, authority: path }
}

function unrouted(path: string): ChannelTarget {
  return { hosts: [], hostname: undefined, port: undefined, authority: path }
}

function addresses(path: string): ChannelTarget {
  const all = path.split(',').map(splitPort)
  const [first] = all
  const single = all.length === 1 ? first : undefined
  return {
    hosts: all.map(one => one.hostname),
    hostname: single?.hostname,
    port: single?.port,
    authority: path.split(',')[0]!,
  }
}

function named(path: string): ChannelTarget {
  const { hostname, port } = splitPort(path)
  return { hosts: [hostname], hostname, port, authority: path }
}

function splitPort(authority: string): { hostname: string; port: number | undefined } {
  if (isIP(authority) === 6) return { hostname: authority, port: undefined }
  const match = /^(.*?)(?::(\d{1,5}))?$/s.exec(authority)
  const hostname = match?.[1] ?? authority
  return { hostname: /^\[.*\]$/.test(hostname) ? hostname.slice(1, -1) : hostname, port: portOf(match?.[2]) }
}

function portOf(text: string | undefined): number | undefined {
  return text === undefined ? undefined : Number(text)
}
