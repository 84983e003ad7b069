import { keep } from '../bounded-map.js'
import { slot } from '../context/context-slot.js'
import { LanewayError } from '../errors.js'
import { describe } from '../options/describe.js'
import type { Lane } from './lane.js'
import { isTag } from './tag.js'

/** Most tags in one lane. */
export const MAX_LANE_TAGS = 4
/** Most bytes of a lane on the wire, white space included. */
export const MAX_LANE_BYTES = 255

/** Lanes kept per generation: far beyond what a cluster has, small enough to mean nothing in memory. */
const GENERATION = 512

/**
 * Reads a lane from its wire form: tags separated by commas, optional spaces or tabs around them. One bad member, a
 * fifth tag, or more than 255 bytes make the whole value no lane. A tag that stands twice counts once, in its first
 * place. Never throws; allocates nothing for a lane seen lately.
 *
 * @param value - anything; only a string can be a lane
 */
export function parseLane(value: unknown): Lane | undefined {
  // The length first: the look-up hashes, and a header may be 16 kB. Only ASCII parses, so characters are bytes.
  if (typeof value !== 'string' || value.length > MAX_LANE_BYTES) return undefined
  return slot.lanes.young.get(value) ?? parseRare(value)
}

/** Whether this process has met a lane yet, believed or not. Never throws. */
export function lanesSeen(): boolean {
  return slot.lanes.young.size > 0
}

/**
 * Reads a lane that the program or the operator wrote down.
 *
 * @throws LanewayError `LANEWAY_INVALID_TAG`
 */
export function assertLane(where: string, value: unknown): Lane {
  const lane = parseLane(value)
  if (lane !== undefined) return lane
  throw new LanewayError(
    'LANEWAY_INVALID_TAG',
    `${where}: ${describe(value)} is not a lane; a lane is 1 to 4 tags joined by commas, a tag is 1 to 63 characters of A-Z a-z 0-9 . _ - that begin and end with a letter or digit`,
  )
}

function parseRare(value: string): Lane | undefined {
  const { lanes } = slot
  const known = lanes.old.get(value)
  const lane = known ?? parse(value)
  if (lane === undefined) return undefined
  keep(lanes, GENERATION, value, lane)
  return lane
}

function parse(value: string): Lane | undefined {
  const members = value.split(',')
  if (members.length > MAX_LANE_TAGS) return undefined
  const tags: string[] = []
  for (const member of members) {
    const tag = member.replace(/^[ \t]+|[ \t]+$/g, '')
    if (!isTag(tag)) return undefined
    if (!tags.includes(tag)) tags.push(tag)
  }
  return Object.freeze({ header: tags.join(','), tags: Object.freeze(tags) })
}
