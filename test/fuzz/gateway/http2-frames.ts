import type { Random } from './random.js'

const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')
/** RFC 9113 section 6 */
const TYPES = {
  data: 0,
  headers: 1,
  priority: 2,
  reset: 3,
  settings: 4,
  push: 5,
  ping: 6,
  goaway: 7,
  window: 8,
  more: 9,
}

/** The bytes of a client that speaks HTTP/2 nearly: proper frames in any order, wrong lengths, flags and streams. */
export function randomFrames(random: Random, connection: number): Buffer {
  const parts: Buffer[] = [random.chance(0.95) ? PREFACE : PREFACE.subarray(0, random.int(1, 23))]
  if (random.chance(0.95)) parts.push(frame(TYPES.settings, 0, 0, Buffer.alloc(0)))
  let stream = 1
  const count = random.int(1, 30)
  for (let index = 0; index < count; index++) {
    const any = random.pick([0, 1, 2, stream, stream + 2, 0x7fffffff])
    parts.push(
      random.weighted<() => Buffer>([
        [
          6,
          () => {
            const block = headerBlock(`${connection}-${index}`, random)
            const opened = stream
            stream += 2
            return frame(TYPES.headers, random.pick([0x5, 0x4, 0x1, 0x0, 0x24]), opened, block)
          },
        ],
        [3, () => frame(TYPES.data, random.pick([0, 1, 8]), any, Buffer.alloc(random.int(0, 100), 120))],
        [3, () => frame(TYPES.reset, 0, any, number(random.int(0, 20)))],
        [
          2,
          () =>
            frame(TYPES.ping, random.pick([0, 1]), random.pick([0, 0, 0, 1]), Buffer.alloc(random.pick([8, 8, 8, 7]))),
        ],
        [2, () => frame(TYPES.window, 0, any, number(random.pick([0, 1, 65_535, 0x7fffffff])))],
        [
          2,
          () =>
            frame(
              TYPES.settings,
              0,
              0,
              setting(random.pick([1, 2, 3, 4, 5, 6, 8, 99]), random.pick([0, 1, 100, 0xffffffff])),
            ),
        ],
        [1, () => frame(TYPES.priority, 0, any, Buffer.alloc(5))],
        [1, () => frame(TYPES.goaway, 0, 0, Buffer.concat([number(stream), number(0)]))],
        [1, () => frame(TYPES.more, random.pick([0, 4]), any, headerBlock(`${connection}-${index}`, random))],
        [1, () => frame(TYPES.push, 4, any, Buffer.alloc(8))],
        [1, () => frame(random.int(0, 255), random.int(0, 255), random.int(0, 9), random.bytes(random.int(0, 60)))],
        [1, () => random.bytes(random.int(1, 40))],
      ])(),
    )
  }
  return Buffer.concat(parts)
}

function frame(type: number, flags: number, stream: number, payload: Buffer): Buffer {
  const head = Buffer.alloc(9)
  head.writeUIntBE(payload.length, 0, 3)
  head[3] = type
  head[4] = flags
  head.writeUInt32BE(stream, 5)
  return Buffer.concat([head, payload])
}

function number(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}

function setting(name: number, value: number): Buffer {
  const bytes = Buffer.alloc(6)
  bytes.writeUInt16BE(name)
  bytes.writeUInt32BE(value, 2)
  return bytes
}

/** Literals without index and without Huffman code, RFC 7541 section 6.2.2: no state, so any block may be left out. */
function headerBlock(id: string, random: Random): Buffer {
  const fields: [string, string][] = [
    [':method', random.pick(['GET', 'GET', 'POST', 'CONNECT', 'HEAD', ''])],
    [':scheme', 'http'],
    [':path', random.pick([`/echo/${id}/0`, `/slow/${id}/20`, `/big/${id}/50`, '*', '', '/#a'])],
    [':authority', random.pick(['a.example', 'a.example:80', 'u@a', ''])],
    ['x-id', id],
  ]
  if (random.chance(0.2))
    fields.push([random.pick(['connection', 'Upper', 'te', ':late', 'x-mse-tag', 'content-length']), '7'])
  if (random.chance(0.1)) fields.splice(random.int(0, 3), 1)
  const parts: Buffer[] = []
  for (const [name, value] of fields) {
    parts.push(Buffer.from([0, name.length]), Buffer.from(name), Buffer.from([value.length]), Buffer.from(value))
  }
  return Buffer.concat(parts)
}
