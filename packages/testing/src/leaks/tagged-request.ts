import { createEgressScope, parseHost, parseHostHeader } from '@laneway/core/internal'

/** A request with a tag that went to a host outside. */
export interface Leak {
  /** The host, lower case. */
  readonly host: string
  /** The tag as it was sent. */
  readonly lane: string
  /** `GET /charges` */
  readonly request: string
}

/** Hosts that get the tag without being configured: single labels, `*.svc`, private addresses and the like. */
const internal = createEgressScope('assertNoLeaks', { warn() {} })

/** The leak that a request is; `undefined` where the host is internal or the request has no tag. */
export function leakOf(host: string, lane: string | undefined, method: string, path: string): Leak | undefined {
  return lane === undefined || internal.includes(host)
    ? undefined
    : Object.freeze({ host, lane, request: `${method} ${path}` })
}

/** The host that a request is for: where it connects to an address, the name in its `Host` header. */
export function hostOf(connected: string, hostHeader: string | undefined): string {
  const target = parseHost(connected)
  const named = hostHeader === undefined ? undefined : parseHostHeader(hostHeader)
  if (target !== undefined && target.family === 0) return target.name
  return named?.name ?? target?.name ?? connected.toLowerCase()
}
