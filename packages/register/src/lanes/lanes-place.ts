import { isIP } from 'node:net'
import { LanewayError } from '@laneway/core'
import { describe } from '@laneway/core/internal'

/** Where `/lanes` may be served: the first free port of a range. */
export interface LanesPlace {
  readonly host: string
  readonly first: number
  readonly last: number
}

/** As many processes of one machine; the console asks each port of the range. */
const MAX_PORTS = 64

/**
 * Reads `port`, `first-last`, `address:port` or `address:first-last`.
 *
 * @throws LanewayError `LANEWAY_INVALID_OPTION`
 */
export function parseLanesPlace(text: string): LanesPlace {
  const [, given, from, to] = /^(?:(.+):)?(\d{1,5})(?:-(\d{1,5}))?$/.exec(text.trim()) ?? []
  const host = given === undefined ? '127.0.0.1' : given.replace(/^\[(.*)\]$/, '$1')
  const first = Number(from)
  const last = to === undefined ? first : Number(to)
  const isPlace = first >= 1 && last >= first && last <= 65_535 && (host === 'localhost' || isIP(host) !== 0)
  if (isPlace && last - first < MAX_PORTS) return { host, first, last }
  throw new LanewayError(
    'LANEWAY_INVALID_OPTION',
    `LANEWAY_LANES is a port or a range of at most ${MAX_PORTS} ports, with an IP address of this machine in front or without: 9464, 9464-9471, 0.0.0.0:9464; received ${describe(text)}`,
  )
}
