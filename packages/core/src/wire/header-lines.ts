/**
 * Node joins equal header lines with a comma, which would make a list of two spoofed lines. The values of the lines as
 * they came, or `undefined` when the request has no raw headers (then the joined value is all there is).
 */
export function headerLines(rawHeaders: readonly string[] | undefined, name: string): string[] | undefined {
  if (rawHeaders === undefined) return undefined
  const lines: string[] = []
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const key = rawHeaders[index]!
    if (key.length === name.length && key.toLowerCase() === name) lines.push(rawHeaders[index + 1]!)
  }
  return lines
}

/**
 * The one value of a header: all lines equal counts as one; `null` when they differ.
 *
 * @param value - the parsed value, joined by Node or an array
 */
export function soleValue(
  value: string | readonly string[],
  rawHeaders: readonly string[] | undefined,
  name: string,
): string | null {
  if (typeof value === 'string' && !value.includes(',')) return value
  const raw = headerLines(rawHeaders, name)
  const lines = raw !== undefined && raw.length > 0 ? raw : typeof value === 'string' ? [value] : value
  const first = String(lines[0] ?? '').trim()
  for (let index = 1; index < lines.length; index++) {
    if (String(lines[index]).trim() !== first) return null
  }
  return first
}
