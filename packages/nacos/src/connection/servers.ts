import { LanewayError } from '@laneway/core'
import { describe } from '@laneway/core/internal'

/** One Nacos server. */
export interface ServerAddress {
  readonly host: string
  /** Main (HTTP) port. */
  readonly port: number
  readonly grpcPort: number
  /** Base URL of the HTTP API, for the login. */
  readonly httpUrl: string
}

const DEFAULT_PORT = 8848

/**
 * Reads a server list: `host`, `host:port`, `[::1]:8848`, `https://host:port/context`; a string may hold several,
 * separated by commas.
 *
 * @throws LanewayError `LANEWAY_INVALID_OPTION`
 */
export function parseServers(input: string | readonly string[], grpcPortOffset: number): readonly ServerAddress[] {
  const given = typeof input === 'string' ? [input] : [...input]
  const entries = given
    .flatMap(entry => String(entry).split(','))
    .map(entry => entry.trim())
    .filter(entry => entry !== '')
  if (entries.length === 0)
    throw refused(`servers is empty, received ${describe(input)}; name at least one, as host:8848`)
  // A password may hold a comma, so what looks like an entry of its own may be a part of it: nothing is quoted then.
  if (given.some(entry => String(entry).includes('@'))) {
    throw refused('a server is host:port without user and password; give username and password as options')
  }
  return Object.freeze(entries.map(entry => parseServer(entry, grpcPortOffset)))
}

function parseServer(entry: string, grpcPortOffset: number): ServerAddress {
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(entry)?.[1]?.toLowerCase()
  if (scheme !== undefined && scheme !== 'http' && scheme !== 'https') {
    const bare = entry.slice(scheme.length + 3)
    throw refused(
      `${describe(entry)} has the scheme ${scheme}; write ${describe(bare)}, or http or https, which say how to log in`,
    )
  }
  let url: URL
  try {
    url = new URL(scheme === undefined ? `http://${entry}` : entry)
  } catch (cause) {
    throw refused(`${describe(entry)} is not host:port`, cause)
  }
  // The URL parser hides a default port; a list entry that names 80 means 80.
  const named = /:(\d+)(?:\/|$)/.exec(entry.replace(/^https?:/i, ''))?.[1]
  const port = named === undefined ? DEFAULT_PORT : Number(named)
  const grpcPort = port + grpcPortOffset
  if (url.search !== '' || url.hash !== '' || !(port >= 1) || !(grpcPort >= 1 && grpcPort <= 65535)) {
    throw refused(`${describe(entry)} is not host:port`)
  }
  const path = url.pathname === '/' ? '/nacos' : url.pathname.replace(/\/$/, '')
  const httpUrl = `${url.protocol}//${url.hostname}:${port}${path}`
  return Object.freeze({ host: url.hostname.replace(/^\[|\]$/g, ''), port, grpcPort, httpUrl })
}

function refused(why: string, cause?: unknown): LanewayError {
  return new LanewayError('LANEWAY_INVALID_OPTION', `createNacosClient: ${why}`, cause === undefined ? {} : { cause })
}

/** Goes round the server list from a random start, so that a fleet spreads over the servers. */
export class ServerRing {
  readonly list: readonly ServerAddress[]
  #at: number

  constructor(list: readonly ServerAddress[], random: () => number) {
    this.list = list
    this.#at = Math.floor(random() * list.length)
  }

  next(): ServerAddress {
    const server = this.list[this.#at % this.list.length]!
    this.#at = (this.#at + 1) % this.list.length
    return server
  }

  /** Finds the server that a `ConnectResetRequest` names; its port comes as a string. */
  find(host: unknown, port: unknown): ServerAddress | undefined {
    return this.list.find(server => server.host === host && server.port === Number(port))
  }
}
