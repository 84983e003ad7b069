import type { Lane } from '@laneway/core'
import { carriedText } from './carried-text.js'

/** Headers as most clients take them. */
export type Headers = Readonly<Record<string, unknown>>

/**
 * Headers with the lane, and without any other value under its name. The caller's object is never changed; without a
 * lane and without a value to remove it is returned as it is.
 */
export function taggedHeaders(
  headers: Headers | undefined,
  header: string,
  lane: Lane | undefined,
): Headers | undefined {
  const there = headers?.[header]
  if (lane === undefined) return there === undefined ? headers : withoutTag(headers!, header)
  return there === lane.header ? headers : { ...headers, [header]: lane.header }
}

function withoutTag(headers: Headers, header: string): Headers {
  const { [header]: _, ...rest } = headers
  return rest
}

/**
 * What a header object from the network has itself under a name. A client that assigns names as they come lets a header
 * `__proto__` give the object inherited ones.
 */
export function ownHeader(headers: unknown, header: string): unknown {
  if (typeof headers !== 'object' || headers === null) return undefined
  if (headers instanceof Map) return mapValue(headers, header)
  return Object.hasOwn(headers, header) ? (headers as Headers)[header] : undefined
}

/** `@platformatic/kafka` has keys as its deserializer made them. Equal keys in bytes are several entries. */
function mapValue(map: ReadonlyMap<unknown, unknown>, header: string): unknown {
  const value = map.get(header)
  if (value !== undefined) return value
  const values: unknown[] = []
  for (const [key, bytes] of map) if (typeof key !== 'string' && isName(key, header)) values.push(bytes)
  return values.length > 1 ? values : values[0]
}

function isName(key: unknown, header: string): boolean {
  return key instanceof Uint8Array ? key.length === header.length && carriedText(key) === header : key === header
}

/** Removes a refused value from a message that was received. Never throws. */
export function removeHeader(headers: unknown, header: string): void {
  if (typeof headers !== 'object' || headers === null) return
  if (headers instanceof Map) {
    for (const key of headers.keys()) if (isName(key, header)) headers.delete(key)
  } else Reflect.deleteProperty(headers, header)
}
