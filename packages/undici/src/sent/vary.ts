import type { ParsedHeaders } from '../dispatcher/dispatcher.js'

/**
 * The lane header in a spelling that no server uses. Below the user's interceptors Laneway adds it to the `Vary` of a
 * response, so that a cache among them keeps lanes apart. Caches compare it in lower case. Above the interceptors Laneway
 * recognizes the spelling and removes it, so that it never leaves the process.
 */
export function laneVary(header: string): string {
  return header.replace(/[a-z]/g, (letter, index: number) => (index % 2 === 1 ? letter.toUpperCase() : letter))
}

/** Parsed headers with the mark in `Vary`. */
export function withVary(headers: ParsedHeaders, mark: string): ParsedHeaders {
  const { vary } = headers
  return { ...headers, vary: vary === undefined ? mark : `${Array.isArray(vary) ? vary.join(', ') : vary}, ${mark}` }
}

/** Parsed headers as the server sent them. */
export function withoutVary(headers: ParsedHeaders, mark: string): ParsedHeaders {
  const { vary, ...others } = headers
  if (Array.isArray(vary)) return vary.includes(mark) ? { ...others, vary: vary.filter(one => one !== mark) } : headers
  if (vary === undefined || !vary.endsWith(mark)) return headers
  return vary === mark ? others : { ...others, vary: vary.slice(0, -mark.length).replace(/, $/, '') }
}

/** Raw headers with the mark in a `Vary` line of its own, so that the lines of the server stay as they came. */
export function withRawVary(headers: unknown[], mark: string): unknown[] {
  return Array.isArray(headers) ? [...headers, Buffer.from('vary'), Buffer.from(mark)] : headers
}

/** Raw headers as the server sent them. */
export function withoutRawVary(headers: unknown[], mark: string): unknown[] {
  if (!Array.isArray(headers)) return headers
  for (let index = 1; index < headers.length; index += 2) {
    const { length } = Object(headers[index]) as { length?: unknown }
    if (typeof length !== 'number' || length < mark.length) continue
    // A cache joins the lines into one.
    const value = String(headers[index])
    if (!value.endsWith(mark) || String(headers[index - 1]).toLowerCase() !== 'vary') continue
    const kept = headers.slice()
    if (value === mark) kept.splice(index - 1, 2)
    else kept[index] = Buffer.from(value.slice(0, -mark.length).replace(/, ?$/, ''), 'latin1')
    return kept
  }
  return headers
}
