import t from 'tap'
import { expectLane, type LaneCarrier } from '../src/index.js'

const gray = { method: 'GET', url: '/b', headers: { 'x-mse-tag': 'gray' } }
const none = { headers: {} }

const RIGHT: Record<string, [LaneCarrier | LaneCarrier[], string | undefined]> = {
  'a lane': [gray, 'gray'],
  'the same lane everywhere': [[gray, gray], 'gray'],
  'no lane': [none, undefined],
  'no lane is base': [none, 'base'],
  'the tag base': [{ headers: { 'x-mse-tag': 'base' } }, 'base'],
  'a list': [{ headers: { 'x-mse-tag': 'gray-2,gray' } }, 'gray-2,gray'],
  'a Request': [new Request('http://x/', { headers: { 'x-mse-tag': 'gray' } }), 'gray'],
  'values in a list, as in nock 13': [{ headers: { 'X-Mse-Tag': ['gray'] } }, 'gray'],
  'names and values in one list, as in undici 6': [{ headers: ['host', 'x', 'x-mse-tag', 'gray'] }, 'gray'],
  pairs: [{ headers: [['x-mse-tag', 'gray']] }, 'gray'],
  'the same line twice': [{ headers: ['x-mse-tag', 'gray', 'x-mse-tag', 'gray'] }, 'gray'],
  'a ClientRequest': [{ getHeader: (name: string) => (name === 'x-mse-tag' ? 'gray' : undefined) }, 'gray'],
}

const WRONG: Record<string, [LaneCarrier | LaneCarrier[] | undefined, string | undefined, RegExp]> = {
  'another lane': [gray, 'blue', /expected GET \/b in lane "blue", and it was in lane "gray"/],
  'a lane in place of none': [gray, undefined, /expected GET \/b in no lane, and it was in lane "gray"/],
  'a lane in place of base': [gray, 'base', /in lane "base", and it was in lane "gray"/],
  'the tag base in place of no tag': [{ headers: { 'x-mse-tag': 'base' } }, undefined, /in lane "base"/],
  'none in place of a lane': [none, 'gray', /in no lane/],
  'the list of which it is the last': [{ headers: { 'x-mse-tag': 'gray-2,gray' } }, 'gray', /in lane "gray-2,gray"/],
  'the second of three': [[gray, none, gray], 'gray', /in no lane/],
  'two lines that differ': [{ headers: ['x-mse-tag', 'gray', 'x-mse-tag', 'blue'] }, 'gray', /"gray and blue"/],
  'nothing arrived': [undefined, 'gray', /none arrived/],
  'an empty list': [[], undefined, /none arrived/],
}

for (const [name, [request, lane]] of Object.entries(RIGHT))
  t.test(`passes: ${name}`, async t => void t.doesNotThrow(() => expectLane(request, lane)))

for (const [name, [request, lane, message]] of Object.entries(WRONG)) {
  t.test(`fails: ${name}`, async t => {
    t.throws(() => expectLane(request, lane), { code: 'ERR_ASSERTION', message, expected: lane })
  })
}

t.test('another header', async t => {
  expectLane({ headers: { 'x-lane': 'gray' } }, 'gray', 'X-Lane')
  t.throws(() => expectLane({ headers: { 'x-lane': 'gray' } }, 'gray'), { code: 'ERR_ASSERTION' })
})
