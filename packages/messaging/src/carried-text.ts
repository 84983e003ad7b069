import { MAX_LANE_BYTES } from '@laneway/core'

/**
 * The text of a header as brokers and their clients give it: a string, bytes, or a list of them. Of a list with equal
 * members it is the one; never throws, and never decodes more bytes than a lane can have.
 *
 * @returns `undefined` when nothing is there, `null` when the members of a list differ; `''`, which is no lane, for
 * everything that is neither text nor bytes
 */
export function carriedText(value: unknown): string | null | undefined {
  if (typeof value === 'string') return value
  if (value === undefined || value === null) return undefined
  if (value instanceof Uint8Array) return textOfBytes(value)
  return Array.isArray(value) ? soleText(value) : ''
}

function textOfBytes(bytes: Uint8Array): string {
  if (bytes.length > MAX_LANE_BYTES) return ''
  // A lane is ASCII: bytes beyond it stay bytes that no tag has.
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1')
}

/** More members than a producer writes; a header is up to its sender. */
const MOST_MEMBERS = 16

function soleText(list: readonly unknown[]): string | null | undefined {
  if (list.length === 0) return undefined
  if (list.length > MOST_MEMBERS) return null
  const texts = list.map(one => (Array.isArray(one) ? '' : (carriedText(one) ?? '')))
  return texts.every(text => text === texts[0]) ? texts[0] : null
}
