import { currentLane } from '../context/context.js'

/**
 * A cache key that keeps lanes apart: memoised values, Redis entries, DataLoader keys. Keys of base stay as they are, so
 * introducing it empties no cache; no two lanes, and no key of base, can collide.
 */
export function laneKey(key: string): string {
  const lane = currentLane()
  if (lane !== undefined && lane.header !== 'base') return `@${lane.header}:${key}`
  return key.startsWith('@') ? `@:${key}` : key
}
