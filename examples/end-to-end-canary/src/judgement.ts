import type { Instance } from './fleet.js'
import type { Sample } from './load.js'

/** What a sample amounts to. */
export interface Verdict {
  /** No answer, or not 200, or an answer that is no path. */
  readonly failed: boolean
  /** Untagged at a gray instance, tagged at another lane, or the tag wrong or lost at any hop. */
  readonly wrong: boolean
  /** Tagged, at base, although gray had been up for more than a second. */
  readonly late: boolean
  readonly why: string | undefined
}

/** A new gray instance is known everywhere after this. */
const KNOWN_AFTER_MS = 1000
const HOP = /^([ABC])(\w*)\[([\d.]+:\d+)\]\{([^|}]*)\|([^}]*)\}(?:\[config=[^\]]*\])?$/

/**
 * Judges a sample by the instances that were started, not by what an instance says of itself.
 *
 * @param lane - the lane of tagged requests
 */
export function judge(sample: Sample, instances: readonly Instance[], lane: string): Verdict {
  const bad = (why: string, failed: boolean, wrong: boolean, late: boolean): Verdict => ({ failed, wrong, late, why })
  if (sample.status !== 200) return bad(`status ${sample.status}: ${sample.text.slice(0, 200)}`, true, false, false)
  const hops = sample.text.trim().split(' -> ')
  if (hops.length !== 3) return bad(`not three hops: ${sample.text.slice(0, 200)}`, true, false, false)
  const expected = sample.tagged ? lane : ''
  for (const hop of hops) {
    const [, name = '', , address = '', onWire, inContext] = HOP.exec(hop) ?? []
    const service = name.toLowerCase()
    const instance = instances.find(one => one.service === service && one.address === address)
    if (instance === undefined) return bad(`nobody started ${hop}`, false, true, false)
    if (onWire !== expected || inContext !== expected)
      return bad(`${hop} saw another tag than "${expected}"`, false, true, false)
    if (instance.tag !== '' && instance.tag !== expected) return bad(`"${expected}" at ${hop}`, false, true, false)
    if (!sample.tagged || instance.tag !== '') continue
    const gray = instances.find(
      one =>
        one.service === service &&
        one.tag === lane &&
        one.upAt + KNOWN_AFTER_MS < sample.sentAt &&
        one.leftAt > sample.doneAt,
    )
    if (gray !== undefined) return bad(`${hop} although ${gray.address} is gray`, false, false, true)
  }
  return { failed: false, wrong: false, late: false, why: undefined }
}
