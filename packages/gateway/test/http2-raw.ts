// HTTP/2 by its bytes: Node's client refuses to send what a server has to refuse.
import type { Socket } from 'node:net'

const HEADERS = 1
const RESET = 3
const SETTINGS = 4
const PING = 6
const GOAWAY = 7
const CONTINUATION = 9
const END_STREAM = 1
const END_HEADERS = 4
const MAX_FRAME = 16_384

export type Fields = readonly (readonly [name: string, value: string])[]

/** What came back on stream 1. */
export interface RawAnswer {
  readonly data: string
  /** The stream was reset, with this code. */
  readonly reset: number | undefined
  /** The connection ended before the stream did. */
  readonly closed: boolean
}

/** The bytes that open a connection. */
export const opening: Buffer = Buffer.concat([
  Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
  frame(SETTINGS, 0, 0, ''),
])

export function frame(type: number, flags: number, stream: number, payload: Buffer | string): Buffer {
  const body = Buffer.from(payload as string)
  const head = Buffer.alloc(9)
  head.writeUIntBE(body.length, 0, 3)
  head[3] = type
  head[4] = flags
  head.writeUInt32BE(stream, 5)
  return Buffer.concat([head, body])
}

/** A request, or the trailers of one. */
export function headerFrames(stream: number, fields: Fields, end: boolean): Buffer {
  const block = Buffer.concat(fields.flatMap(([name, value]) => [Buffer.of(0), text(name), text(value)]))
  const frames: Buffer[] = []
  for (let at = 0; at === 0 || at < block.length; at += MAX_FRAME) {
    const flags = (at === 0 && end ? END_STREAM : 0) | (at + MAX_FRAME >= block.length ? END_HEADERS : 0)
    frames.push(frame(at === 0 ? HEADERS : CONTINUATION, flags, stream, block.subarray(at, at + MAX_FRAME)))
  }
  return Buffer.concat(frames)
}

/** RFC 7541 section 5.2, without Huffman coding. */
function text(value: string): Buffer {
  const bytes = Buffer.from(value, 'latin1')
  const length: number[] = []
  if (bytes.length < 127) length.push(bytes.length)
  else {
    length.push(127)
    let rest = bytes.length - 127
    for (; rest >= 128; rest >>= 7) length.push((rest & 127) | 128)
    length.push(rest)
  }
  return Buffer.concat([Buffer.from(length), bytes])
}

/** Reads what comes back until the stream ends. */
export function readAnswer(socket: Socket, stream = 1): Promise<RawAnswer> {
  return new Promise(resolve => {
    let bytes = Buffer.alloc(0)
    let data = ''
    socket.on('close', () => resolve({ data, reset: undefined, closed: true }))
    socket.on('data', chunk => {
      bytes = Buffer.concat([bytes, chunk])
      while (bytes.length >= 9 && bytes.length >= 9 + bytes.readUIntBE(0, 3)) {
        const length = bytes.readUIntBE(0, 3)
        const [type, flags] = [bytes[3]!, bytes[4]!]
        const of = bytes.readUInt32BE(5) & 0x7fffffff
        const payload = bytes.subarray(9, 9 + length)
        bytes = bytes.subarray(9 + length)
        if (type === SETTINGS && flags === 0) socket.write(frame(SETTINGS, 1, 0, ''))
        else if (type === PING && flags === 0) socket.write(frame(PING, 1, 0, payload))
        else if (type === GOAWAY && payload.readUInt32BE(4) !== 0) resolve({ data, reset: undefined, closed: true })
        if (of !== stream) continue
        if (type === 0) data += payload.toString()
        if (type === RESET) resolve({ data, reset: payload.readUInt32BE(0), closed: false })
        else if ((type === 0 || type === HEADERS) && (flags & END_STREAM) !== 0) {
          resolve({ data, reset: undefined, closed: false })
        }
      }
    })
  })
}
