/** One message of the Nacos gRPC protocol, in either direction. */
export interface Payload {
  /** The simple class name of the body, e.g. `InstanceRequest`. */
  readonly type: string
  readonly headers: ReadonlyMap<string, string>
  readonly clientIp: string
  /** The body as JSON text, UTF-8. */
  readonly body: Buffer
}

const NO_HEADERS: ReadonlyMap<string, string> = new Map()

/**
 * Writes a `Payload` message: metadata (field 2) with type (3), headers (7) and clientIp (8), and body (3), of whose
 * `google.protobuf.Any` Nacos uses only the value (2). Two messages do not pay for a protobuf library.
 */
export function encodePayload(payload: Payload): Buffer {
  const metadata = [field(3, Buffer.from(payload.type))]
  for (const [key, value] of payload.headers) {
    metadata.push(field(7, Buffer.concat([field(1, Buffer.from(key)), field(2, Buffer.from(value))])))
  }
  metadata.push(field(8, Buffer.from(payload.clientIp)))
  return Buffer.concat([field(2, Buffer.concat(metadata)), field(3, field(2, payload.body))])
}

/** Reads a `Payload` message; unknown fields are skipped. Throws a RangeError when the bytes are not protobuf. */
export function decodePayload(bytes: Buffer): Payload {
  let type = ''
  let clientIp = ''
  let body: Buffer = Buffer.alloc(0)
  let headers: Map<string, string> | undefined
  for (const [number, part] of fields(bytes)) {
    if (number === 2) {
      for (const [inner, value] of fields(part)) {
        if (inner === 3) type = value.toString()
        else if (inner === 8) clientIp = value.toString()
        else if (inner === 7) {
          headers ??= new Map()
          let key = ''
          let text = ''
          for (const [entry, bytesOfEntry] of fields(value)) {
            if (entry === 1) key = bytesOfEntry.toString()
            else if (entry === 2) text = bytesOfEntry.toString()
          }
          headers.set(key, text)
        }
      }
    } else if (number === 3) {
      for (const [inner, value] of fields(part)) if (inner === 2) body = value
    }
  }
  return { type, headers: headers ?? NO_HEADERS, clientIp, body }
}

/** A length-delimited field; every field of the two messages is one. */
function field(number: number, value: Buffer): Buffer {
  return Buffer.concat([Buffer.from([(number << 3) | 2]), varint(value.length), value])
}

function varint(value: number): Buffer {
  const bytes: number[] = []
  let rest = value
  while (rest > 127) {
    bytes.push((rest & 127) | 128)
    rest >>>= 7
  }
  bytes.push(rest)
  return Buffer.from(bytes)
}

function* fields(bytes: Buffer): Generator<[number: number, value: Buffer]> {
  let at = 0
  const readVarint = (): number => {
    let value = 0
    for (let scale = 1; scale <= 2 ** 63; scale *= 128) {
      const byte = bytes[at++]
      if (byte === undefined) throw new RangeError('the message ends within a number')
      value += (byte & 127) * scale
      if (byte < 128) return value
    }
    throw new RangeError('a number is longer than ten bytes')
  }
  const take = (length: number): Buffer => {
    if (at + length > bytes.length) throw new RangeError(`a field of ${length} bytes ends beyond the message`)
    const value = bytes.subarray(at, at + length)
    at += length
    return value
  }
  while (at < bytes.length) {
    const key = readVarint()
    const number = Math.floor(key / 8)
    switch (key % 8) {
      case 0:
        readVarint()
        break
      case 1:
        take(8)
        break
      case 2:
        yield [number, take(readVarint())]
        break
      case 5:
        take(4)
        break
      default:
        throw new RangeError(`wire type ${key % 8} is not known`)
    }
  }
}
