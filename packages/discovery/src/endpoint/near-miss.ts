import { BoundedMap, nearest, POD_LABEL } from '@laneway/core/internal'
import type { Member } from '../table/member.js'

const LANE_KEYS = [POD_LABEL, '__micro.service.env__']
const CANARY = 'opensergo.io/canary-'
/** Keys that were compared; registries repeat theirs on every instance. */
const MAX_KEYS = 1000
/** Slips of the pen: a letter too many, another separator. */
const MOST_EDITS = 2

const compared = new BoundedMap<string, string | null>(MAX_KEYS)

/**
 * A metadata key that was probably meant to carry a lane, on an instance that therefore counts as base, such as
 * `alicloud.service.tags`.
 */
export function findNearMiss(members: Iterable<Member>): { address: string; key: string; meant: string } | undefined {
  for (const { endpoint } of members) {
    if (endpoint.tags.length > 0) continue
    for (const key of Object.keys(endpoint.metadata)) {
      const meant = meantKey(key)
      if (meant !== undefined) return { address: endpoint.address, key, meant }
    }
  }
  return undefined
}

/** The key of a lane that a key of metadata was probably meant to be; `undefined` for others. */
export function meantKey(key: string): string | undefined {
  return compared.of(key, meantBy) ?? undefined
}

function meantBy(key: string): string | null {
  const near = nearest(key, LANE_KEYS, MOST_EDITS)
  if (near !== undefined) return near === key ? null : near
  // The part in front of the tag is compared.
  const head = key.slice(0, key.indexOf('-') + 1)
  if (head === CANARY || nearest(head, [CANARY], MOST_EDITS) === undefined) return null
  return `${CANARY}<tag>`
}
