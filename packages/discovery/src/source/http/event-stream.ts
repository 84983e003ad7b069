/** One event of an event stream. */
export interface StreamEvent {
  readonly type: string
  readonly data: string
}

/**
 * Reads server-sent events from bytes, however they are cut. Comments and unknown fields are left out.
 *
 * @param maxBytes - a longer event throws, so that a server talking nonsense cannot fill the memory
 * @returns takes the next bytes
 * @throws RangeError from the returned function
 * @see https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation
 */
export function readEventStream(onEvent: (event: StreamEvent) => void, maxBytes: number): (chunk: Buffer) => void {
  let parts: Buffer[] = []
  let size = 0
  let type = ''
  let data: string[] = []

  function line(text: string): void {
    if (text === '') {
      if (data.length > 0) onEvent({ type: type || 'message', data: data.join('\n') })
      type = ''
      data = []
      size = 0
      return
    }
    const colon = text.indexOf(':')
    const field = colon === -1 ? text : text.slice(0, colon)
    const value = colon === -1 ? '' : text.slice(text[colon + 1] === ' ' ? colon + 2 : colon + 1)
    if (field === 'event') type = value
    else if (field === 'data') data.push(value)
  }

  return chunk => {
    let from = 0
    for (let end = chunk.indexOf(10); end !== -1; end = chunk.indexOf(10, from)) {
      const tail = chunk.subarray(from, end)
      from = end + 1
      size += tail.length
      if (size > maxBytes) throw new RangeError(`an event is longer than ${maxBytes} bytes`)
      const text = (parts.length === 0 ? tail : Buffer.concat([...parts, tail])).toString('utf8')
      parts = []
      line(text.endsWith('\r') ? text.slice(0, -1) : text)
    }
    const rest = chunk.subarray(from)
    if (rest.length === 0) return
    size += rest.length
    if (size > maxBytes) throw new RangeError(`an event is longer than ${maxBytes} bytes`)
    parts.push(rest)
  }
}
