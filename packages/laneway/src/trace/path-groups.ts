import { type LanePath, type PathCall, summaryOfPath } from '@laneway/core'

/** Requests that went the same way. */
export interface PathGroup {
  readonly summary: string
  readonly count: number
  /** The path of the first of them. */
  readonly path: LanePath
}

/** Groups paths by the way they show, the most frequent first. */
export function groupPaths(paths: readonly LanePath[]): PathGroup[] {
  const groups = new Map<string, { summary: string; count: number; path: LanePath }>()
  for (const path of paths) {
    const summary = summaryOfPath(path)
    const group = groups.get(summary)
    if (group === undefined) groups.set(summary, { summary, count: 1, path })
    else group.count++
  }
  return [...groups.values()].sort((a, b) => b.count - a.count)
}

/** A place of the tree at which paths differ, and what they have there. */
export interface PathDifference {
  /** `sc-A > sc-B` */
  readonly place: string
  /** `gray 200`, or `not called`, with its count. */
  readonly seen: ReadonlyMap<string, number>
}

/** Where the paths of groups differ: the outermost places first. */
export function differencesOf(groups: readonly PathGroup[]): PathDifference[] {
  const places = new Map<string, Map<string, number>>()
  const total = groups.reduce((sum, { count }) => sum + count, 0)
  for (const { path, count } of groups) {
    for (const [place, words] of placesOf(path)) {
      const seen = places.get(place) ?? new Map<string, number>()
      places.set(place, seen.set(words, (seen.get(words) ?? 0) + count))
    }
  }
  const differences: PathDifference[] = []
  for (const [place, seen] of places) {
    const missing = total - [...seen.values()].reduce((sum, count) => sum + count, 0)
    if (missing > 0) seen.set('not called', missing)
    if (seen.size > 1) differences.push({ place, seen })
  }
  return differences.sort((a, b) => depthOf(a.place) - depthOf(b.place))
}

function depthOf(place: string): number {
  return place.split(' > ').length
}

/** What stands at each place of a path; several calls of one target at one place are one text. */
function placesOf(path: LanePath): Map<string, string> {
  const found = new Map<string, string[]>()
  const walk = (calls: readonly PathCall[], above: string) => {
    for (const call of calls) {
      const place = `${above}${call.path?.service ?? call.target}`
      const words = `${call.served ?? (call.address === undefined ? '' : 'base')} ${call.status}`.trim()
      found.set(place, [...(found.get(place) ?? []), words])
      if (call.path !== undefined) walk(call.path.calls, `${place} > `)
    }
  }
  walk(path.calls, '')
  return new Map([...found].map(([place, words]) => [place, words.sort().join(' and ')]))
}
