import type { Lane } from '@laneway/core'
import { ownHeader, removeHeader } from '@laneway/messaging/internal'

/** @returns the headers with the lane in place of what was there; the caller's object is never changed */
type WriteHeader = (headers: unknown, lane: Lane | undefined) => unknown

type Serializer = (value: unknown) => unknown

interface ProducerOptions {
  readonly serializers?: { readonly headerKey?: Serializer; readonly headerValue?: Serializer }
  readonly registry?: { getSerializers?(): ProducerOptions['serializers'] }
}

/**
 * Writes the lane as the header serializers of a producer take it: every header passes them. Without serializers that is
 * bytes.
 */
export function headerWriter(producer: object, header: string): WriteHeader {
  const { serializers, registry } = optionsOf(producer)
  const { headerKey, headerValue } = registry?.getSerializers?.() ?? serializers ?? {}
  const key = takesBytes(headerKey, header) ? Buffer.from(header) : header
  const valueInBytes = takesBytes(headerValue, header)
  return (headers, lane) => {
    if (lane === undefined && ownHeader(headers, header) === undefined) return headers
    const value = lane && (valueInBytes ? Buffer.from(lane.header) : lane.header)
    if (typeof key === 'string' && !(headers instanceof Map)) {
      const { [header]: _, ...rest } = Object(headers) as Record<string, unknown>
      return value === undefined ? rest : { ...rest, [header]: value }
    }
    const map = new Map<unknown, unknown>(headers instanceof Map ? headers : Object.entries(Object(headers)))
    removeHeader(map, header)
    return value === undefined ? map : map.set(key, value)
  }
}

/** The client keeps its options under a symbol. */
function optionsOf(producer: object): ProducerOptions {
  const symbol = Object.getOwnPropertySymbols(producer).find(one => one.description === 'plt.kafka.base.options')
  return (symbol && (producer as Record<symbol, ProducerOptions>)[symbol]) ?? {}
}

/** A serializer of its own kind, such as JSON, gets text: its counterpart at the consumer makes text of it again. */
function takesBytes(serialize: Serializer | undefined, text: string): boolean {
  return serialize === undefined || (!writes(serialize, text, text) && writes(serialize, Buffer.from(text), text))
}

function writes(serialize: Serializer, value: unknown, text: string): boolean {
  try {
    const bytes = serialize(value)
    return bytes instanceof Uint8Array && Buffer.from(bytes).toString() === text
  } catch {
    return false
  }
}
