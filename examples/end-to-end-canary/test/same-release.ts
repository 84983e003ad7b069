import type { Moment } from './release-sequence.js'

/** Closer moments of different objects are a race, in the recordings too. */
const RACE_MS = 200
/** How fast a process starts and ends is no business of the controllers. */
const OF_PROCESSES = /^gray pod/

/**
 * What a play does otherwise than a recording: an object that becomes something else, or in another order; or two objects
 * of one release, or one of them and what they share, that come in another order.
 *
 * @returns one line for each difference
 */
export function differences(recorded: readonly Moment[], played: readonly Moment[]): string[] {
  const found: string[] = []
  for (const object of new Set([...recorded, ...played].map(one => one.object))) {
    const [wanted, got] = [recorded, played].map(all => all.filter(one => one.object === object).map(one => one.became))
    const at = wanted!.findIndex((became, index) => became !== got![index])
    if (at !== -1) found.push(`${object}: number ${at} is "${got![at]}", recorded "${wanted![at]}"`)
    else if (got!.length > wanted!.length) found.push(`${object}: more than recorded, "${got![wanted!.length]}"`)
  }
  if (found.length > 0) return found
  const place = new Map(played.map((_moment, index) => [keyOf(played, index), index]))
  for (const [i, earlier] of recorded.entries()) {
    for (const [j, later] of recorded.entries()) {
      if (j <= i || !areOrdered(earlier, later)) continue
      if (place.get(keyOf(recorded, i))! > place.get(keyOf(recorded, j))!) {
        found.push(`recorded first ${earlier.object}: ${earlier.became}, then ${later.object}: ${later.became}`)
      }
    }
  }
  return found
}

function areOrdered(a: Moment, b: Moment): boolean {
  if (a.object === b.object || b.t - a.t < RACE_MS) return false
  if (OF_PROCESSES.test(a.object) || OF_PROCESSES.test(b.object)) return false
  return a.of === b.of || a.of === undefined || b.of === undefined
}

/** An object becomes the same thing more than once. */
function keyOf(moments: readonly Moment[], index: number): string {
  const { object, became } = moments[index]!
  const before = moments.slice(0, index).filter(one => one.object === object && one.became === became).length
  return `${object} ${became} ${before}`
}
