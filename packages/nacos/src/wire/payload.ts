/**
 * The two protobuf messages of Nacos' gRPC services, by hand: `Payload { Metadata metadata = 2; Any body = 3 }` and
 * `Metadata { string type = 3; string clientIp = 8; map<string, string> headers = 7 }`. Of `Any` only `value` (2) is
 * used; it holds JSON. All fields are length-delimited, so reader and writer know one wire type and skip the rest.
 *
 * @see https://github.com/alibaba/nacos/blob/3.1.0/api/src/main/proto/nacos_grpc_service.proto
 */
export interface Payload {
  /** Simple Java class name of the body, e.g. `InstanceRequest`. */
  readonly type: string
  readonly headers: Readonly<Record<string, string>>
  readonly clientIp: string
  /** UTF-8 JSON. */
  readonly body: Buffer
}

const METADATA = 2
const BODY = 3
const TYPE = 3
const HEADERS = 7
const CLIENT_IP = 8
const ANY_VALUE = 2
const MAP_KEY = 1
const MAP_VALUE = 2
const EMPTY = Buffer.alloc(0)

/** Encodes one message. Never throws. */
export function encodePayload(payload: Payload): Buffer {
  const metadata = [...field(TYPE, payload.type)]
  for (const [key, value] of Object.entries(payload.headers)) {
    metadata.push(...field(HEADERS, Buffer.concat([...field(MAP_KEY, key), ...field(MAP_VALUE, value)])))
  }
  metadata.push(...field(CLIENT_IP, payload.clientIp))
  const any = Buffer.concat(field(ANY_VALUE, payload.body))
  return Buffer.concat([...field(METADATA, Buffer.concat(metadata)), ...field(BODY, any)])
}

/**
 * Decodes one message; absent fields are empty, unknown fields are skipped, a repeated scalar field keeps its last value.
 *
 * @throws RangeError for bytes that are no protobuf message; the transport turns it into the end of the session
 */
export function decodePayload(bytes: Buffer): Payload {
  let type = ''
  let clientIp = ''
  let body: Buffer = EMPTY
  const headers = new Map<string, string>()
  readFields(bytes, (outer, part) => {
    if (outer === METADATA) {
      readFields(part, (inner, value) => {
        if (inner === TYPE) type = value.toString()
        else if (inner === CLIENT_IP) clientIp = value.toString()
        else if (inner === HEADERS) readHeader(value, headers)
      })
    } else if (outer === BODY) {
      readFields(part, (inner, value) => {
        if (inner === ANY_VALUE) body = value
      })
    }
  })
  return { type, headers: Object.fromEntries(headers), clientIp, body }
}

function readHeader(bytes: Buffer, headers: Map<string, string>): void {
  let key = ''
  let text = ''
  readFields(bytes, (number, value) => {
    if (number === MAP_KEY) key = value.toString()
    else if (number === MAP_VALUE) text = value.toString()
  })
  headers.set(key, text)
}

function field(number: number, value: string | Uint8Array): [Buffer, Uint8Array] {
  const bytes = typeof value === 'string' ? Buffer.from(value) : value
  const prefix = [number * 8 + 2]
  let length = bytes.length
  while (length > 127) {
    prefix.push((length & 127) | 128)
    length >>>= 7
  }
  prefix.push(length)
  return [Buffer.from(prefix), bytes]
}

function readFields(bytes: Buffer, onField: (number: number, value: Buffer) => void): void {
  let at = 0
  const varint = (): number => {
    let value = 0
    // Ten bytes are the longest varint. Only lengths and tags are used, so bits over 2^53 may be lost, not misread.
    for (let shift = 0; shift < 10; shift++) {
      const byte = bytes[at++]
      if (byte === undefined) break
      value += (byte & 127) * 2 ** (7 * shift)
      if (byte < 128) return value
    }
    throw new RangeError(`a varint ends outside the message at byte ${at} of ${bytes.length}`)
  }
  while (at < bytes.length) {
    const tag = varint()
    const wire = tag % 8
    if (wire === 0) {
      varint()
      continue
    }
    const length = wire === 2 ? varint() : wire === 1 ? 8 : wire === 5 ? 4 : Number.NaN
    if (!(at + length <= bytes.length)) {
      throw new RangeError(`a field of wire type ${wire} ends outside the message at byte ${at} of ${bytes.length}`)
    }
    if (wire === 2) onField(Math.floor(tag / 8), bytes.subarray(at, at + length))
    at += length
  }
}
