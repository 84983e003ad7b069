import { createHash } from 'node:crypto'

/** The letters that Kubernetes uses in generated names: no vowels, so no words. */
const LETTERS = 'bcdfghjklmnpqrstvwxz2456789'

/** A revision of a pod template: the same template has the same one. */
export function revisionOf(template: unknown, salt = ''): string {
  return spell(
    createHash('sha256')
      .update(salt)
      .update(JSON.stringify(sorted(template)))
      .digest(),
    10,
  )
}

/** Five letters for a generated name. */
export function suffix(random: () => number = Math.random): string {
  return spell(
    Array.from({ length: 5 }, () => Math.floor(random() * 256)),
    5,
  )
}

function spell(bytes: Iterable<number>, length: number): string {
  return [...bytes]
    .slice(0, length)
    .map(byte => LETTERS[byte % LETTERS.length])
    .join('')
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, one]) => [key, sorted(one)]),
  )
}
