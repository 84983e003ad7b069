// What a Nacos server, or what answers in its place, sends.
import { createServer } from 'node:http2'
import type { AddressInfo } from 'node:net'
import { LanewayError } from '@laneway/core'
import fc from 'fast-check'
import { parseServiceInfo } from '../../packages/nacos/src/naming/service-info.js'
// The codec is no public surface; a client that meets a hostile server would show little of it.
import { FrameReader, frame } from '../../packages/nacos/src/wire/frames.js'
import { decodePayload, encodePayload, type Payload } from '../../packages/nacos/src/wire/payload.js'
import { Transport } from '../../packages/nacos/src/wire/transport.js'
import { type FuzzCase, linear, must, property, type Scale, same } from './fuzz-case.js'

const MAX = 4096
const message = fc.uint8Array({ maxLength: 60 }).map(bytes => Buffer.from(bytes))
const payload: fc.Arbitrary<Payload> = fc.record({
  type: fc.oneof(fc.string(), fc.constantFrom('__proto__', 'InstanceRequest')),
  headers: fc.dictionary(fc.oneof(fc.string(), fc.constantFrom('constructor')), fc.string(), { maxKeys: 5 }),
  clientIp: fc.string(),
  body: fc.json().map(text => Buffer.from(text)),
})
/** A stream and what is done to it: bytes changed, cut out, put in. */
const damage = fc.array(
  fc.record({ at: fc.nat(2000), byte: fc.nat(255), kind: fc.constantFrom('change', 'cut', 'insert') }),
  { minLength: 1, maxLength: 6 },
)

function damaged(bytes: Buffer, hits: readonly { at: number; byte: number; kind: string }[]): Buffer {
  const list = [...bytes]
  for (const { at, byte, kind } of hits) {
    const place = list.length === 0 ? 0 : at % list.length
    if (kind === 'change') list[place] = byte
    else if (kind === 'cut') list.splice(place, 1 + (byte % 4))
    else list.splice(place, 0, byte)
  }
  return Buffer.from(list)
}

function read(chunks: readonly Buffer[], max = MAX): string[] {
  const messages: string[] = []
  const reader = new FrameReader(max, one => messages.push(one.toString('hex')))
  for (const chunk of chunks) reader.push(chunk)
  return messages
}

/** What is no message is refused in one way. */
function rangeErrorOnly<T>(run: () => T): T | undefined {
  try {
    return run()
  } catch (error) {
    if (error instanceof RangeError) return undefined
    throw error
  }
}

export const nacosCases: readonly FuzzCase[] = [
  property(
    'nacos: frames cut at every byte are the same messages',
    fc.array(message, { minLength: 1, maxLength: 4 }),
    list => {
      const stream = Buffer.concat(list.map(frame))
      const expected = list.map(one => one.toString('hex'))
      for (let cut = 0; cut <= stream.length; cut++) {
        same(read([stream.subarray(0, cut), stream.subarray(cut)]), expected, `cut at ${cut}`)
      }
      same(read([...stream].map(byte => Buffer.from([byte]))), expected, 'byte by byte')
    },
  ),
  property(
    'nacos: damaged frames are messages or a RangeError',
    fc.tuple(fc.array(message, { minLength: 1, maxLength: 4 }), damage, fc.nat(7)),
    ([list, hits, size]) => {
      const stream = damaged(Buffer.concat(list.map(frame)), hits)
      const chunks: Buffer[] = []
      for (let at = 0; at < stream.length; at += size + 1) chunks.push(stream.subarray(at, at + size + 1))
      rangeErrorOnly(() => read(chunks))
    },
  ),
  property('nacos: a payload is read as it was written', payload, one => {
    const back = decodePayload(encodePayload(one))
    same(
      [back.type, back.headers, back.clientIp, back.body.toString('hex')],
      [wellFormed(one.type), mapped(one.headers), wellFormed(one.clientIp), one.body.toString('hex')],
    )
  }),
  property('nacos: a damaged payload is one or a RangeError', fc.tuple(payload, damage), ([one, hits]) => {
    rangeErrorOnly(() => decodePayload(damaged(encodePayload(one), hits)))
  }),
  property(
    'nacos: a payload cut at every byte is one or a RangeError',
    payload,
    one => {
      const bytes = encodePayload(one)
      for (let cut = 0; cut < bytes.length; cut++) rangeErrorOnly(() => decodePayload(bytes.subarray(0, cut)))
    },
    0.3,
  ),
  property('nacos: any bytes are a payload or a RangeError', fc.uint8Array({ maxLength: 200 }), bytes => {
    rangeErrorOnly(() => decodePayload(Buffer.from(bytes)))
  }),
  property('nacos: a header called __proto__ is a header', fc.string(), text => {
    const headers = Object.fromEntries([['__proto__', text]])
    const back = decodePayload(encodePayload({ type: 't', headers, clientIp: '', body: Buffer.alloc(0) }))
    must(Object.getPrototypeOf(back.headers) === Object.prototype, 'the prototype was replaced')
  }),
  property(
    'nacos: a service list of any shape',
    fc.oneof(
      fc.record({
        name: fc.string(),
        hosts: fc.oneof(
          fc.array(
            fc.oneof(
              fc.record({
                ip: fc.anything(),
                port: fc.anything(),
                weight: fc.anything(),
                healthy: fc.anything(),
                metadata: fc.anything(),
              }),
              fc.anything(),
            ),
          ),
          fc.anything(),
        ),
        lastRefTime: fc.anything(),
      }),
      fc.anything(),
    ),
    value => {
      const info = parseServiceInfo(value)
      if (info === undefined) return
      for (const { metadata } of info.instances)
        must(
          Object.values(metadata).every(one => typeof one === 'string'),
          'metadata',
        )
    },
  ),
  { name: 'nacos: a server that answers with damaged frames, streams and resets', run: hostileServer },
  linear(
    'nacos: one frame in chunks of a byte',
    bytes => frame(Buffer.alloc(bytes)),
    stream => {
      const reader = new FrameReader(stream.length, () => {})
      for (let at = 0; at < stream.length; at++) reader.push(stream.subarray(at, at + 1))
    },
  ),
  linear(
    'nacos: empty frames in one chunk',
    bytes => Buffer.concat(Array.from({ length: bytes / 5 }, () => frame(Buffer.alloc(0)))),
    stream => read([stream]),
  ),
  linear(
    'nacos: a payload of headers',
    bytes =>
      encodePayload({
        type: '',
        headers: Object.fromEntries(Array.from({ length: bytes / 16 }, (_, index) => [`k${index}`, 'v'])),
        clientIp: '',
        body: Buffer.alloc(0),
      }),
    decodePayload,
  ),
  linear('nacos: a payload of empty fields', bytes => Buffer.alloc(bytes, Buffer.from([8, 0])), decodePayload),
]

/** A real client against a server that sends whatever it likes: every call settles, with an error of ours or an answer. */
async function hostileServer({ runs }: Scale): Promise<number> {
  const calls = Math.min(2000, Math.max(40, runs / 5))
  const inputs = fc.sample(fc.tuple(payload, damage, fc.nat(4), fc.uint8Array({ maxLength: 40 })), calls)
  let next = 0
  const server = createServer()
  server.on('sessionError', () => {})
  server.on('stream', stream => {
    stream.on('error', () => {})
    const [one, hits, kind, bytes] = inputs[next++ % inputs.length]!
    const whole = frame(encodePayload(one))
    const sent = kind === 0 ? whole : kind === 1 ? Buffer.from(bytes) : damaged(whole, hits)
    if (kind === 4) stream.session?.destroy()
    else if (kind === 3) stream.close(2)
    else {
      stream.respond(
        { ':status': kind === 2 ? 200 : 502, 'content-type': 'application/grpc' },
        { waitForTrailers: true },
      )
      stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': kind === 2 ? '0' : '%zz' }))
      stream.end(sent)
    }
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  let settled = 0
  while (settled < calls) {
    let ended = false
    const transport = new Transport({
      host: '127.0.0.1',
      port,
      tls: undefined,
      onPush() {},
      onEnd() {
        ended = true
      },
      keepsProcess: true,
    })
    if (settled % 3 === 0) transport.openStream()
    for (let call = 0; call < 8 && !ended && settled < calls; call++) {
      settled++
      try {
        await transport.unary('HealthCheckRequest', {}, {}, 5000)
      } catch (error) {
        must(error instanceof LanewayError, `not ours: ${String(error)}`)
        must(!error.message.includes('no answer within'), 'a call that nothing settled')
      }
    }
    transport.end('done')
  }
  await new Promise<void>(resolve => server.close(() => resolve()))
  return settled
}

/** Lone surrogates have no UTF-8. */
function wellFormed(text: string): string {
  return Buffer.from(text).toString()
}

function mapped(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([key, value]) => [wellFormed(key), wellFormed(value)]))
}
