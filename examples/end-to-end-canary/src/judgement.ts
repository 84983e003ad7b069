import type { Instance } from './fleet.js'
import type { Sample } from './load.js'
import type { Colouring } from './play/entrance-rules.js'

/** What a sample amounts to. */
export interface Verdict {
  /** No answer, or not 200, or an answer that is no path. */
  readonly failed: boolean
  /** A tag that the routes of the moment do not give, untagged at a gray instance, or the tag wrong or lost at any hop. */
  readonly wrong: boolean
  /** Tagged, at base, although gray had been up for more than a second. */
  readonly late: boolean
  /** Whether it was in the lane. */
  readonly tagged: boolean
  readonly why: string | undefined
}

/** A new gray instance is known everywhere after this. */
const KNOWN_AFTER_MS = 1000
const HOP = /^([ABC])(\w*)\[([\d.]+:\d+)\]\{([^|}]*)\|([^}]*)\}(?:\[config=[^\]]*\])?$/

/**
 * Judges a sample by the routes of its moment and the instances that were started, not by what an instance says of itself.
 *
 * @param lane - the lane of tagged requests
 * @param colouring - what the entrance may have done while it was under way
 */
export function judge(
  sample: Sample,
  instances: readonly Instance[],
  lane: string,
  colouring: ReadonlySet<Colouring>,
): Verdict {
  const bad = (why: string, kind: 'failed' | 'wrong' | 'late'): Verdict => {
    return { failed: kind === 'failed', wrong: kind === 'wrong', late: kind === 'late', tagged: false, why }
  }
  if (sample.status !== 200) return bad(`status ${sample.status}: ${sample.text.slice(0, 200)}`, 'failed')
  const hops = sample.text.trim().split(' -> ')
  if (hops.length !== 3) return bad(`not three hops: ${sample.text.slice(0, 200)}`, 'failed')
  const tag = HOP.exec(hops[0]!)?.[4] ?? ''
  if (!allowed(sample.chosen, lane, colouring).includes(tag)) {
    return bad(`${sample.user} has tag "${tag}" while the entrance colours ${[...colouring].join(' or ')}`, 'wrong')
  }
  for (const hop of hops) {
    const [, name = '', , address = '', onWire, inContext] = HOP.exec(hop) ?? []
    const service = name.toLowerCase()
    const instance = instances.find(one => one.service === service && one.address === address)
    if (instance === undefined) return bad(`nobody started ${hop}`, 'wrong')
    if (onWire !== tag || inContext !== tag) return bad(`${hop} saw another tag than "${tag}"`, 'wrong')
    if (instance.tag !== '' && instance.tag !== tag) return bad(`"${tag}" at ${hop}`, 'wrong')
    if (tag === '' || instance.tag !== '') continue
    const gray = instances.find(
      one =>
        one.service === service &&
        one.tag === lane &&
        one.upAt + KNOWN_AFTER_MS < sample.sentAt &&
        one.leftAt > sample.doneAt,
    )
    if (gray !== undefined) return bad(`${hop} although ${gray.address} is gray`, 'late')
  }
  return { failed: false, wrong: false, late: false, tagged: tag !== '', why: undefined }
}

/** The tags that a request may have. */
function allowed(chosen: boolean, lane: string, colouring: ReadonlySet<Colouring>): string[] {
  const tags: string[] = []
  if (colouring.has('nobody') || colouring.has('share') || !chosen) tags.push('')
  if (colouring.has('share') || (colouring.has('matches') && chosen)) tags.push(lane)
  return tags
}
