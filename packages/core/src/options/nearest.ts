/** Longer than every name of an option. */
const LONGEST = 100

/**
 * The known word that is closest, `undefined` when none is close. Case does not count.
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
