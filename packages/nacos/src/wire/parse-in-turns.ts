import { setImmediate as nextTurn } from 'node:timers/promises'

/** What is parsed in one turn of the event loop: 300 instances or so, well below a millisecond. */
const TURN_BYTES = 128 * 1024

const QUOTE = 0x22
const BACKSLASH = 0x5c
const OPEN_ARRAY = 0x5b
const CLOSE_ARRAY = 0x5d
const OPEN_OBJECT = 0x7b
const CLOSE_OBJECT = 0x7d
const COMMA = 0x2c

/**
 * `JSON.parse` of the body of a message, where a long one would hold up the event loop: the elements of
 * `serviceInfo.hosts`, which are the bulk of every such message, are parsed a part in each turn. Everything else, and what
 * has another shape, is parsed at once.
 *
 * @throws SyntaxError as `JSON.parse` does
 */
export async function parseInTurns(body: Buffer): Promise<unknown> {
  const start = body.length > TURN_BYTES ? startOfHosts(body) : -1
  if (start === -1) return JSON.parse(body.toString())
  const hosts: unknown[] = []
  let from = start
  for (;;) {
    const { end, last } = nextPart(body, from)
    if (end === -1) return JSON.parse(body.toString())
    const part = JSON.parse(`[${body.toString('utf8', from, end)}]`) as unknown[]
    // A comma with nothing behind it.
    if (part.length === 0 && from !== start) return JSON.parse(body.toString())
    for (const host of part) hosts.push(host)
    await nextTurn()
    from = end + 1
    if (last) break
  }
  const rest = JSON.parse(body.toString('utf8', 0, start) + body.toString('utf8', from - 1)) as {
    serviceInfo?: { hosts?: unknown }
  }
  const emptied = rest.serviceInfo?.hosts
  // Another list of that name was found first.
  if (!Array.isArray(emptied) || emptied.length > 0) return JSON.parse(body.toString())
  for (const host of hosts) emptied.push(host)
  return rest
}

/**
 * Where the only `"hosts": [` has its first element. In JSON these characters are a key and its value: inside of a string
 * the quotes would be escaped.
 */
function startOfHosts(body: Buffer): number {
  const key = body.indexOf('"hosts"')
  if (key === -1 || body.includes('"hosts"', key + 1)) return -1
  const found = /^"hosts"\s*:\s*\[/.exec(body.toString('latin1', key, key + 64))
  return found === null ? -1 : key + found[0].length
}

/** The end of the elements of one turn: a comma between two, or (`last`) the end of the array. -1: there is none. */
function nextPart(body: Buffer, from: number): { end: number; last: boolean } {
  let depth = 0
  for (let at = from; at < body.length; at++) {
    const byte = body[at]
    if (byte === QUOTE) {
      at = endOfString(body, at)
    } else if (byte === OPEN_OBJECT || byte === OPEN_ARRAY) {
      depth++
    } else if (byte === CLOSE_OBJECT || byte === CLOSE_ARRAY) {
      if (depth === 0) return { end: at, last: true }
      depth--
      if (depth === 0 && at - from >= TURN_BYTES && body[at + 1] === COMMA) return { end: at + 1, last: false }
    }
  }
  return { end: -1, last: true }
}

/** @returns the place of the closing quote; the end of the text where there is none */
function endOfString(body: Buffer, open: number): number {
  for (let at = open + 1; at < body.length; at++) {
    if (body[at] === QUOTE) return at
    if (body[at] === BACKSLASH) at++
  }
  return body.length
}
