import { LanewayError } from './errors.js'

/**
 * Refuses option names that do not exist, with a suggestion.
 *
 * @param where - whose options, for the message, e.g. `expressLane`
 * @throws LanewayError `LANEWAY_INVALID_OPTION`
 */
export function assertKnownKeys(where: string, input: object, keys: readonly string[]): void {
  if (typeof input !== 'object' || input === null || Array.isArray(input)) {
    throw new LanewayError('LANEWAY_INVALID_OPTION', `${where} takes an options object, received ${describe(input)}`)
  }
  for (const key of Object.keys(input)) {
    if (keys.includes(key)) continue
    const near = nearest(key, keys)
    throw new LanewayError(
      'LANEWAY_INVALID_OPTION',
      `${where} has no option ${describe(key)}${near === undefined ? `; it has ${keys.join(', ')}` : `, did you mean "${near}"?`}`,
    )
  }
}

/**
 * Refuses a value that is not one of a closed list.
 *
 * @throws LanewayError `LANEWAY_INVALID_OPTION`
 */
export function assertOneOf(where: string, value: unknown, allowed: readonly string[]): void {
  if (typeof value === 'string' && allowed.includes(value)) return
  const near = typeof value === 'string' ? nearest(value, allowed) : undefined
  throw new LanewayError(
    'LANEWAY_INVALID_OPTION',
    `${where} is one of ${allowed.map(one => `"${one}"`).join(', ')}, received ${describe(value)}${
      near === undefined ? '' : `, did you mean "${near}"?`
    }`,
  )
}

/** A received value as a message shows it: short, on one line. */
export function describe(value: unknown): string {
  let text: string | undefined
  try {
    text = typeof value === 'string' || typeof value === 'object' ? JSON.stringify(value) : String(value)
  } catch {
    // Circular, or with a toJSON that throws.
  }
  text = (text ?? Object.prototype.toString.call(value)).replace(/\s+/g, ' ')
  return text.length > 80 ? `${text.slice(0, 77)}...` : text
}

/** Longer than any name of ours that somebody could have meant. */
const LONGEST = 100

/**
 * The known word that somebody probably meant, `undefined` when none is close. Case does not count.
 *
 * @param mostEdits - letters that may differ. @default a third of the word, at least 2
 */
export function nearest(word: string, words: readonly string[], mostEdits?: number): string | undefined {
  if (word.length > LONGEST) return undefined
  let best: string | undefined
  let bestDistance = (mostEdits ?? Math.max(2, Math.floor(word.length / 3))) + 1
  for (const candidate of words) {
    const distance = editDistance(word.toLowerCase(), candidate.toLowerCase())
    if (distance < bestDistance) {
      best = candidate
      bestDistance = distance
    }
  }
  return best
}

/** Levenshtein distance in which two letters that have changed places are one edit; words here are option names. */
function editDistance(a: string, b: string): number {
  let above: number[] = []
  let row = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      next[j] = Math.min(next[j - 1]! + 1, row[j]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1))
      if (a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) next[j] = Math.min(next[j]!, above[j - 2]! + 1)
    }
    above = row
    row = next
  }
  return row[b.length]!
}
