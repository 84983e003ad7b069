import { networkInterfaces } from 'node:os'
import { LanewayError } from '@laneway/core'
import { describe } from '@laneway/core/internal'

/**
 * The address of a network interface of this machine, IPv4 before IPv6; link-local ones cannot be called from elsewhere.
 *
 * @throws LanewayError `LANEWAY_INVALID_OPTION` when there is no such interface, or it has no address
 */
export function addressOfInterface(name: string): string {
  const all = networkInterfaces()
  const found = (all[name] ?? []).filter(({ address }) => !/^(fe80:|169\.254\.)/i.test(address))
  const best = found.find(({ family }) => family === 'IPv4') ?? found[0]
  if (best !== undefined) return best.address
  throw new LanewayError(
    'LANEWAY_INVALID_OPTION',
    `interface ${describe(name)} has no address here; the interfaces are ${Object.keys(all).join(', ')}`,
  )
}
