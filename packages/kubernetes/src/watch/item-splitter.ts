/** Cuts the items out of a list while its bytes come in. */
export interface ItemSplitter {
  write(chunk: Buffer): void
  /** The list without its items. @throws SyntaxError when the JSON is not complete */
  end(): unknown
}

const QUOTE = 34
const BACKSLASH = 92
const OPEN_ARRAY = 91
const CLOSE_ARRAY = 93
const OPEN_OBJECT = 123
const CLOSE_OBJECT = 125
const ITEMS = 'items'

/**
 * A list of thousands of objects, parsed in one go, holds up the event loop. Here each item is parsed by itself, as soon as
 * its last byte has come.
 *
 * @param onItem - one element of the array `items` of the list, as JSON
 * @param maxItemBytes - a longer item throws, so that a server talking nonsense cannot fill the memory
 * @throws RangeError from `write`
 */
export function createItemSplitter(onItem: (json: string) => void, maxItemBytes: number): ItemSplitter {
  const rest: Buffer[] = []
  let restSize = 0
  let item: Buffer[] = []
  let itemSize = 0
  let depth = 0
  let inString = false
  let isEscaped = false
  /** The last string at depth 1: the key of what comes. */
  let key = ''
  let inItems = false

  function keep(part: Buffer): void {
    if (part.length === 0) return
    restSize += part.length
    if (restSize > maxItemBytes) throw new RangeError(`a list without items is longer than ${maxItemBytes} bytes`)
    // A copy: a view would keep the whole chunk, with all the items in it.
    rest.push(Buffer.from(part))
  }

  function hold(part: Buffer): void {
    itemSize += part.length
    if (itemSize > maxItemBytes) throw new RangeError(`an item is longer than ${maxItemBytes} bytes`)
    if (part.length > 0) item.push(part)
  }

  function write(chunk: Buffer): void {
    /** Where the part begins that is neither kept nor held yet. */
    let from = 0
    let stringFrom = 0
    for (let at = 0; at < chunk.length; at++) {
      const byte = chunk[at]!
      if (inString) {
        if (isEscaped) isEscaped = false
        else if (byte === BACKSLASH) isEscaped = true
        else if (byte === QUOTE) {
          inString = false
          if (depth === 1) key += chunk.toString('latin1', stringFrom, at)
        }
      } else if (byte === QUOTE) {
        inString = true
        stringFrom = at + 1
        if (depth === 1) key = ''
      } else if (byte === OPEN_OBJECT || byte === OPEN_ARRAY) {
        depth++
        if (depth === 2) inItems = byte === OPEN_ARRAY && key === ITEMS
        if (depth === 3 && inItems) {
          keep(chunk.subarray(from, at))
          from = at
        }
      } else if (byte === CLOSE_OBJECT || byte === CLOSE_ARRAY) {
        depth--
        if (depth === 2 && inItems) {
          hold(chunk.subarray(from, at + 1))
          from = at + 1
          const json = (item.length === 1 ? item[0]! : Buffer.concat(item)).toString('utf8')
          item = []
          itemSize = 0
          onItem(json)
        }
        if (depth === 1) inItems = false
      } else if (depth === 2 && inItems) {
        // The commas between the items go with them.
        keep(chunk.subarray(from, at))
        from = at + 1
      }
    }
    if (inString && depth === 1 && key.length <= ITEMS.length) key += chunk.toString('latin1', stringFrom)
    const part = chunk.subarray(from)
    if (depth >= 3 && inItems) hold(Buffer.from(part))
    else keep(part)
  }

  return { write, end: () => JSON.parse(Buffer.concat(rest).toString('utf8')) }
}
