import fc from 'fast-check'
import protobuf from 'protobufjs'
import t from 'tap'
import { decodePayload, encodePayload } from '../src/transport/payload.js'

/** The two messages as Nacos declares them, read by a library that is not ours. */
const root = protobuf.parse(`
  syntax = "proto3";
  message Any { string type_url = 1; bytes value = 2; }
  message Metadata { string type = 3; string clientIp = 8; map<string, string> headers = 7; }
  message Payload { Metadata metadata = 2; Any body = 3; }
`).root
const Payload = root.lookupType('Payload')

const payloads = fc.record({
  type: fc.string({ unit: 'grapheme' }),
  clientIp: fc.string(),
  headers: fc
    .array(fc.tuple(fc.string({ unit: 'grapheme' }), fc.string({ unit: 'grapheme' })))
    .map(entries => new Map(entries)),
  body: fc.uint8Array({ maxLength: 400 }).map(bytes => Buffer.from(bytes)),
})

t.test('what is written here is read by protobufjs', async t => {
  fc.assert(
    fc.property(payloads, payload => {
      const read = Payload.toObject(Payload.decode(encodePayload(payload)), { defaults: true }) as any
      t.equal(read.metadata.type, payload.type)
      t.equal(read.metadata.clientIp, payload.clientIp)
      t.strictSame(
        new Map(Object.entries(read.metadata.headers)),
        new Map(Object.entries(Object.fromEntries(payload.headers))),
      )
      t.equal(Buffer.compare(read.body.value, payload.body), 0)
      return true
    }),
    { numRuns: 100 },
  )
})

t.test('what protobufjs writes is read here', async t => {
  fc.assert(
    fc.property(payloads, ({ type, clientIp, headers, body }) => {
      const message = {
        metadata: { type, clientIp, headers: Object.fromEntries(headers) },
        body: { type_url: 'ignored', value: body },
      }
      const read = decodePayload(Buffer.from(Payload.encode(Payload.fromObject(message)).finish()))
      t.equal(read.type, type)
      t.equal(read.clientIp, clientIp)
      t.strictSame(new Map(read.headers), new Map(Object.entries(Object.fromEntries(headers))))
      t.equal(Buffer.compare(read.body, body), 0)
      return true
    }),
    { numRuns: 100 },
  )
})

t.test('an empty message is read as empty, and fields that nobody knows are skipped', async t => {
  const empty = decodePayload(Buffer.alloc(0))
  t.strictSame([empty.type, empty.clientIp, empty.body.length, empty.headers.size], ['', '', 0, 0])
  const known = encodePayload({ type: 'T', headers: new Map(), clientIp: '', body: Buffer.from('{}') })
  // Field 9 as a number, as 8 bytes, as text and as 4 bytes.
  const unknown = Buffer.from([0x48, 0x96, 0x01, 0x49, 1, 2, 3, 4, 5, 6, 7, 8, 0x4a, 1, 65, 0x4d, 1, 2, 3, 4])
  t.equal(decodePayload(Buffer.concat([unknown, known])).type, 'T')
})

t.test('bytes that are no message throw a RangeError', async t => {
  const cases = {
    'a length beyond the end': [0x12, 5, 1],
    'a number that does not end': [0x12, 0x80],
    'a number of eleven bytes': [0x10, ...Array(10).fill(0x80), 1],
    'a group, which is long gone': [0x13],
  }
  for (const [name, bytes] of Object.entries(cases)) t.throws(() => decodePayload(Buffer.from(bytes)), RangeError, name)
})
