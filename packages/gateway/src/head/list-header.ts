const COMMA = 44
const QUOTE = 34
const BACKSLASH = 92

/** The members of a list field: split at the commas outside quotes, trimmed. RFC 9110 section 5.6.1. */
export function membersOf(value: string): string[] {
  const members: string[] = []
  let start = 0
  let quoted = false
  for (let index = 0; index < value.length; index++) {
    const code = value.charCodeAt(index)
    if (code === QUOTE) quoted = !quoted
    else if (code === BACKSLASH && quoted) index++
    else if (code === COMMA && !quoted) {
      members.push(value.slice(start, index).trim())
      start = index + 1
    }
  }
  members.push(value.slice(start).trim())
  return members
}

/** The last members of a list field, joined again; `''` for none. */
export function lastMembers(value: string, count: number): string {
  return count <= 0
    ? ''
    : membersOf(value)
        .filter(member => member !== '')
        .slice(-count)
        .join(', ')
}
