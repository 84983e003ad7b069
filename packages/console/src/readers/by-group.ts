import type { Queue } from '../wire.js'

/** The order of queues: each group together, base first. */
export function byGroup(a: Queue, b: Queue): number {
  return compare(a.group, b.group) || compare(rank(a), rank(b))
}

// A lane may be called anything, but no tag begins with a space.
const rank = ({ lane }: Queue) => (lane === 'base' ? ' ' : lane)
const compare = (a: string, b: string) => (a === b ? 0 : a < b ? -1 : 1)
