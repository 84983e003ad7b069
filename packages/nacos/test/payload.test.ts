import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire'
import fc from 'fast-check'
import t from 'tap'
import { FrameReader, frame } from '../src/wire/frames.js'
import { decodePayload, encodePayload } from '../src/wire/payload.js'
import { decode, encode } from './raw-server.js'

const headers = fc
  .dictionary(fc.string(), fc.string(), { noNullPrototype: true })
  .filter(one => !Object.hasOwn(one, '__proto__'))
const message = fc.record({ type: fc.string(), headers, clientIp: fc.string(), json: fc.jsonValue() })

t.test('another protobuf implementation reads what we write', async t => {
  fc.assert(
    fc.property(message, ({ type, headers, clientIp, json }) => {
      const bytes = encodePayload({ type, headers, clientIp, body: Buffer.from(JSON.stringify(json)) })
      const read = decode(bytes)
      t.same({ ...read, body: JSON.stringify(read.body) }, { type, headers, clientIp, body: JSON.stringify(json) })
    }),
    { numRuns: 200 },
  )
})

t.test('we read what another protobuf implementation writes', async t => {
  fc.assert(
    fc.property(message, ({ type, headers, json }) => {
      const read = decodePayload(encode(type, JSON.stringify(json), headers).subarray(5))
      t.equal(read.type, type)
      t.same(read.headers, headers)
      t.equal(read.body.toString(), JSON.stringify(json))
    }),
    { numRuns: 200 },
  )
})

t.test('unknown fields of every wire type are skipped', async t => {
  const bytes = new BinaryWriter()
    .tag(9, WireType.Varint)
    .uint64('18446744073709551615')
    .tag(10, WireType.Bit64)
    .fixed64(1)
    .tag(11, WireType.Bit32)
    .fixed32(1)
    .tag(1, WireType.LengthDelimited)
    .string('x')
    .finish()
  const known = encodePayload({ type: 'A', headers: {}, clientIp: '1', body: Buffer.from('{}') })
  t.match(decodePayload(Buffer.concat([bytes, known, bytes])), { type: 'A', clientIp: '1' })
})

t.test('bytes that are no message end in a RangeError, never in anything else', async t => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), bytes => {
      try {
        decodePayload(Buffer.from(bytes))
      } catch (error) {
        t.ok(error instanceof RangeError)
      }
    }),
    { numRuns: 500 },
  )
  t.throws(() => decodePayload(Buffer.from([0x12, 0x05, 0x1a])), RangeError, 'a length beyond the end')
  t.throws(() => decodePayload(Buffer.alloc(11, 0xff)), RangeError, 'a varint without end')
  t.throws(() => decodePayload(Buffer.from([0x13])), RangeError, 'a group')
})

t.test('frames come out the same wherever the stream is cut', async t => {
  const messages = ['', 'one', 'x'.repeat(300)].map(text => Buffer.from(text))
  const bytes = Buffer.concat(messages.map(frame))
  for (let cut = 0; cut <= bytes.length; cut++) {
    const seen: string[] = []
    const reader = new FrameReader(1000, one => seen.push(one.toString()))
    reader.push(bytes.subarray(0, cut))
    reader.push(bytes.subarray(cut))
    t.same(seen, ['', 'one', 'x'.repeat(300)], `cut at ${cut}`)
  }
  const seen: string[] = []
  const reader = new FrameReader(1000, one => seen.push(one.toString()))
  for (const byte of bytes) reader.push(Buffer.from([byte]))
  t.same(seen, ['', 'one', 'x'.repeat(300)], 'byte by byte')
})

t.test('a frame over the limit, or compressed, is refused before it is buffered', async t => {
  const reader = (): FrameReader => new FrameReader(100, () => {})
  reader().push(frame(Buffer.alloc(100)))
  t.throws(() => reader().push(frame(Buffer.alloc(101)).subarray(0, 5)), /101 bytes, over the limit of 100/)
  t.throws(() => reader().push(Buffer.from([1, 0, 0, 0, 1])), /compressed/)
})
