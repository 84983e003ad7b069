/**
 * Cuts a byte stream into lines, wherever the chunks end: inside a line, inside a UTF-8 character. Empty lines are left
 * out. The last line counts only when its newline has come.
 *
 * @param maxBytes - a longer line throws, so that a server talking nonsense cannot fill the memory
 * @throws RangeError from the returned function
 */
export function createLineSplitter(onLine: (line: string) => void, maxBytes: number): (chunk: Buffer) => void {
  let parts: Buffer[] = []
  let size = 0
  return function split(chunk) {
    let from = 0
    for (let end = chunk.indexOf(10); end !== -1; end = chunk.indexOf(10, from)) {
      const tail = chunk.subarray(from, end)
      from = end + 1
      const line = parts.length === 0 ? tail : Buffer.concat([...parts, tail])
      parts = []
      size = 0
      if (line.length > 0) onLine(line.toString('utf8'))
    }
    if (from === chunk.length) return
    const rest = from === 0 ? chunk : chunk.subarray(from)
    size += rest.length
    if (size > maxBytes) throw new RangeError(`a line is longer than ${maxBytes} bytes`)
    parts.push(rest)
  }
}
