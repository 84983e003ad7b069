import type { Lane } from '../lane/lane.js'
import { parseLane } from '../lane/parse-lane.js'
import { isTag } from '../lane/tag.js'

/** Longest list that is looked at: four tags as MSE writes them fit several times. */
const MAX_LIST_LENGTH = 2048

/** The lane as MSE's agent shows it for one tag; of further tags each has a lower priority. */
export function mseList({ tags }: Lane): string {
  return JSON.stringify(tags.map((tag, index) => ({ name: tag, tag, priority: -1 - index })))
}

/**
 * Reads what {@link mseList} writes. Higher `priority` comes first, equal ones in their order. Where an entry has no `tag`,
 * its `name` counts, since some examples have a `name` alone. One bad entry makes it no lane. Never throws.
 */
export function parseMseList(text: string): Lane | undefined {
  if (text.length > MAX_LIST_LENGTH) return undefined
  let list: unknown
  try {
    list = JSON.parse(text)
  } catch {
    return undefined
  }
  if (!Array.isArray(list) || list.length === 0) return undefined
  const entries: { tag: string; priority: number }[] = []
  for (const entry of list as unknown[]) {
    const { name, tag = name, priority = 0 } = Object(entry) as { name?: unknown; tag?: unknown; priority?: unknown }
    if (!isTag(tag) || typeof priority !== 'number') return undefined
    entries.push({ tag, priority })
  }
  entries.sort((a, b) => b.priority - a.priority)
  return parseLane(entries.map(entry => entry.tag).join(','))
}
