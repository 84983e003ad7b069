// What clients send: the lane header, W3C baggage, MSE's baggage member, whole requests.
import { isIPv6 } from 'node:net'
import { isTag, type Lane, parseLane, runInLane } from '@laneway/core'
import {
  BAGGAGE_KEY,
  baggageMember,
  createEgressScope,
  createIngress,
  hasLaneMember,
  MAX_BAGGAGE_BYTES,
  MAX_BAGGAGE_MEMBERS,
  MSE_BAGGAGE_KEY,
  parseBaggageLane,
  parseMseLane,
  withLaneMember,
  withoutLaneMembers,
} from '@laneway/core/internal'
import fc from 'fast-check'
import { type FuzzCase, linear, must, perByte, property, same } from './fuzz-case.js'

const letter = fc.constantFrom(...'aZ09._-,, \t%=;"\\/\0\r\n\u00e9\u{1f993}'.split(''))
const tag = fc.stringMatching(/^[A-Za-z0-9]([A-Za-z0-9._-]{0,6}[A-Za-z0-9])?$/)
const special = fc.constantFrom(
  '__proto__',
  'constructor',
  'toString',
  'base',
  '',
  'gray',
  'x'.repeat(63),
  'x'.repeat(64),
)
/** Texts that are nearly lanes. */
const laneText = fc.oneof(
  fc.string({ unit: letter, maxLength: 80 }),
  fc.array(fc.oneof(tag, special), { maxLength: 6 }).map(tags => tags.join(',')),
  fc.array(tag, { minLength: 1, maxLength: 4 }).map(tags => tags.join(' ,\t')),
  fc.string({ unit: 'binary', maxLength: 300 }),
)
const anything = fc.oneof(laneText, fc.anything())

/** The grammar once more, one character at a time, without regular expressions. */
function slowLane(value: unknown): string | undefined {
  if (typeof value !== 'string' || Buffer.byteLength(value) > 255) return undefined
  const tags: string[] = []
  const members = value.split(',')
  if (members.length > 4) return undefined
  for (const member of members) {
    let start = 0
    let end = member.length
    while (start < end && (member[start] === ' ' || member[start] === '\t')) start++
    while (end > start && (member[end - 1] === ' ' || member[end - 1] === '\t')) end--
    const text = member.slice(start, end)
    if (text.length < 1 || text.length > 63) return undefined
    for (let index = 0; index < text.length; index++) {
      const inner = index > 0 && index < text.length - 1
      const code = text.charCodeAt(index)
      const alphanumeric = (code > 47 && code < 58) || (code > 64 && code < 91) || (code > 96 && code < 123)
      if (!alphanumeric && !(inner && (code === 45 || code === 46 || code === 95))) return undefined
    }
    if (!tags.includes(text)) tags.push(text)
  }
  return tags.join(',')
}

function sound(lane: Lane | undefined): void {
  if (lane === undefined) return
  must(Object.isFrozen(lane) && Object.isFrozen(lane.tags), 'a lane that can be changed')
  must(lane.tags.length >= 1 && lane.tags.length <= 4 && lane.tags.every(isTag), `not tags: ${lane.header}`)
  same(lane.tags.join(','), lane.header, 'header')
  must(parseLane(lane.header)?.header === lane.header, `${lane.header} does not read as itself`)
}

const percent = (text: string) =>
  text.replace(/[^A-Za-z0-9]/g, one => `%${one.charCodeAt(0).toString(16).padStart(2, '0')}`)
const ownKey = fc.constantFrom(
  BAGGAGE_KEY,
  MSE_BAGGAGE_KEY,
  percent(BAGGAGE_KEY),
  percent(MSE_BAGGAGE_KEY),
  ` ${BAGGAGE_KEY} `,
  `\t${MSE_BAGGAGE_KEY}`,
  '%20x-mse-tag',
)
const ownMember = fc
  .tuple(ownKey, fc.oneof(laneText.map(encodeURIComponentSafely), fc.constant('gray')))
  .map(([key, value]) => `${key}=${value}`)
const foreignMember = fc
  .tuple(fc.stringMatching(/^[a-z%_-]{1,12}$/), fc.stringMatching(/^[ -+.-~]{0,20}$/))
  .filter(([key]) => !/mse|micro/.test(key))
  .map(([key, value]) => `${key}=${value.replaceAll(',', '')}`)
const baggageText = fc.oneof(
  fc.array(fc.oneof(ownMember, foreignMember, fc.constant('')), { maxLength: 8 }).map(members => members.join(',')),
  fc.string({ unit: letter, maxLength: 200 }),
  fc.string({ unit: 'binary', maxLength: 200 }),
)

const mseEntry = fc.oneof(
  fc.record({ tag: fc.oneof(tag, special), priority: fc.oneof(fc.integer(), fc.double()) }, { requiredKeys: [] }),
  fc.anything(),
)
const mseText = fc.oneof(
  fc.array(mseEntry, { maxLength: 6 }).map(list => encodeURIComponentSafely(jsonSafely(list))),
  fc.string({ unit: letter, maxLength: 100 }),
  fc.json().map(encodeURIComponentSafely),
)

const headerValue = fc.oneof(
  laneText,
  baggageText,
  mseText.map(text => `${MSE_BAGGAGE_KEY}=${text}`),
)
const headerName = fc.constantFrom('x-mse-tag', 'X-MSE-Tag', 'baggage', 'Baggage', 'BAGGAGE', 'x-mse-tag ', 'host')
/** A request as Node hands it over. */
interface Sent {
  headers: Record<string, string>
  headersDistinct: Record<string, string[]>
  rawHeaders: string[]
  socket: { remoteAddress: string }
}

const request: fc.Arbitrary<Sent> = fc.array(fc.tuple(headerName, headerValue), { maxLength: 6 }).map(lines => {
  // As Node builds them from what is on the wire.
  const headers: Record<string, string> = {}
  const headersDistinct: Record<string, string[]> = {}
  for (const [name, value] of lines) {
    const key = name.toLowerCase()
    headers[key] = headers[key] === undefined ? value : `${headers[key]}, ${value}`
    headersDistinct[key] = [...(headersDistinct[key] ?? []), value]
  }
  return { headers, headersDistinct, rawHeaders: lines.flat(), socket: { remoteAddress: '203.0.113.9' } }
})

function carriesNothing({ headers, headersDistinct, rawHeaders }: Sent): void {
  must(headers['x-mse-tag'] === undefined && headersDistinct['x-mse-tag'] === undefined, 'the header is still there')
  for (const [name, value] of pairs(rawHeaders)) {
    must(name.toLowerCase() !== 'x-mse-tag', 'rawHeaders still has the header')
    if (name.toLowerCase() === 'baggage') must(!hasLaneMember(value), `rawHeaders still has ${value}`)
  }
  for (const value of [headers['baggage'] ?? '', ...(headersDistinct['baggage'] ?? [])]) {
    must(!hasLaneMember(value), `the baggage still has ${value}`)
  }
}

const edge = createIngress('fuzz', { trust: 'edge' })
const believing = createIngress('fuzz', { trust: 'internal', formats: ['header', 'baggage', 'mse-baggage'] })
const scope = createEgressScope('fuzz', { propagateTo: ['*.example.com', '203.0.113.0/24'], warn() {} })
const host = fc.oneof(
  fc.webAuthority({ withIPv4: true, withIPv6: true, withPort: true, withUserInfo: true }),
  fc.string({ unit: fc.constantFrom(...'a1.:-[]%/\\@ x0'.split('')), maxLength: 40 }),
  fc.ipV4Extended(),
  fc.ipV6(),
  fc.string({ unit: 'binary', maxLength: 60 }),
)

const PAYLOADS: Readonly<Record<string, string>> = {
  commas: ',',
  'members without a value': 'a,',
  spaces: ' ',
  letters: 'a',
  percents: '%',
  equals: '=',
  'our key': `${BAGGAGE_KEY}=gray,`,
  'our key encoded': `${percent(BAGGAGE_KEY)}=gray,`,
  'almost our key': 'x-mse-tah=gray;p,',
  'brackets of JSON': '%5B',
}

const READERS: Readonly<Record<string, (text: string) => unknown>> = {
  'the header': parseLane,
  'W3C baggage': text => {
    baggageMember(text, BAGGAGE_KEY)
    withoutLaneMembers(text)
    withLaneMember(text, parseLane('gray')!)
    parseBaggageLane(text)
  },
  "MSE's member": parseMseLane,
  'a request at an edge': text => {
    const raw = ['x-mse-tag', text, 'baggage', text, 'BAGGAGE', text]
    edge({ headers: { 'x-mse-tag': text, baggage: text }, rawHeaders: raw, socket: null })
  },
  'a request that is believed': text => {
    believing({ headers: { 'x-mse-tag': text, baggage: text }, rawHeaders: ['x-mse-tag', text] })
  },
  'a host of a call': text => {
    scope.includes(text)
  },
}

/** Members that make a reader work: each a few bytes, again and again. */
const COSTLY: Readonly<Record<string, string>> = {
  '%,%,': '%,',
  '+,+,': '+,',
  commas: ',',
  'percent signs': '%',
  'bad escapes': '%zz%C3=%E0%A4,',
  'nearly our key': 'x-mse-tah=gray,',
  'nearly our key, escaped': '%78-mse-ta%68=1,',
  "nearly MSE's key": '__microservice_tag=1,',
  'our key': `${BAGGAGE_KEY}=gray,`,
  'our key and others': `${BAGGAGE_KEY}=a,b=1,`,
  'our key, escaped': '+%78-mse-tag=1,',
  'our key, escaped deeply': '%25252578-mse-tag=1,',
  'white space, escaped': '%C2%A0%E2%80%83',
  'commas, escaped': 'x-mse-ta%2C',
  separators: 'a;=;',
  JSON: '%5B%7B%22',
}

/** A request whose lines are baggage, one member each. */
function manyLines(text: string): unknown {
  const lines = text.split(',')
  const rawHeaders = lines.flatMap(line => ['baggage', line])
  return edge({ headers: { baggage: text }, headersDistinct: { baggage: lines }, rawHeaders, socket: null } as never)
}

const BYTE_READERS: Readonly<Record<string, (text: string) => unknown>> = {
  'baggage at an edge': text =>
    edge({
      headers: { baggage: text },
      headersDistinct: { baggage: [text] },
      rawHeaders: ['baggage', text],
      socket: null,
    } as never),
  'baggage that is believed': text => believing({ headers: { baggage: text }, rawHeaders: ['baggage', text] }),
  'baggage that a call copies': text => withLaneMember(text, GRAY),
}
const GRAY = parseLane('gray')!

/** As services send it: members of 12 to 40 bytes. */
function honestBaggage(bytes: number, index: number): string {
  return members(bytes, at => `member${index}${at}=k3J9xQ-7fZ_b2LmN8pRtVw0c`)
}

function members(bytes: number, one: (index: number) => string): string {
  let text = ''
  for (let index = 0; text.length < bytes; index++) text += `${one(index)},`
  return text
}

export const laneCases: readonly FuzzCase[] = [
  property('header: as the grammar says, for any value', anything, value => {
    const lane = parseLane(value)
    sound(lane)
    same(lane?.header, slowLane(value), 'lane')
  }),
  property('header: a lane has a context, whatever its tags are called', laneText, value => {
    const lane = parseLane(value)
    if (lane !== undefined) runInLane(lane, () => {})
  }),
  property(
    'baggage: what is ours goes, foreign members stay byte for byte',
    fc.array(fc.oneof(ownMember, foreignMember), { maxLength: 10 }),
    members => {
      const foreign = members.filter(one => !isOurs(one))
      const text = members.join(',')
      same(withoutLaneMembers(text), foreign.length === members.length ? text : foreign.join(','), 'rest')
    },
  ),
  property('baggage: any text loses ours and can carry a lane', baggageText, text => {
    const rest = withoutLaneMembers(text)
    must(!hasLaneMember(rest), `${rest} still has ours`)
    same(withoutLaneMembers(rest), rest, 'twice')
    const lane = parseLane('gray-2,gray')!
    const sent = withLaneMember(text, lane)
    same(parseBaggageLane(baggageMember(sent, BAGGAGE_KEY) ?? '')?.header, lane.header, 'lane')
    must(baggageMember(sent, MSE_BAGGAGE_KEY) === undefined, 'two of ours')
    must(Buffer.byteLength(sent) <= MAX_BAGGAGE_BYTES, 'too long')
    must(sent.split(',').filter(one => one !== '').length <= MAX_BAGGAGE_MEMBERS, 'too many members')
  }),
  property(
    'baggage: a member value is a sound lane or none',
    fc.oneof(laneText.map(encodeURIComponentSafely), anything.map(textOf)),
    value => {
      sound(parseBaggageLane(value))
    },
  ),
  property("MSE's member: a sound lane or none", mseText, value => sound(parseMseLane(value))),
  property('ingress: an edge lets nothing of ours through, anywhere', request, one => {
    const decision = edge(one)
    must(decision.lane === undefined, `believed ${decision.lane?.header}`)
    carriesNothing(one)
  }),
  property('ingress: what is no lane is removed, a lane is what one line said', request, one => {
    const values = one.headersDistinct['x-mse-tag']
    const decision = believing(one)
    sound(decision.lane)
    if (values === undefined) return
    // Optional white space of HTTP, and no other.
    const texts = new Set(values.map(value => value.replace(/^[ \t]+|[ \t]+$/g, '')))
    const expected = texts.size === 1 ? slowLane([...texts][0]) : undefined
    // Node joins lines; a value of commas only differs in how it is trimmed.
    if (!values.some(value => /[\r\n\0\u00a0]/.test(value))) same(decision.lane?.header, expected, 'lane')
    if (decision.lane === undefined) carriesNothing(one)
  }),
  property(
    'ingress: requests of any shape',
    fc.record({
      headers: fc.dictionary(headerName, fc.oneof(headerValue, fc.array(headerValue))),
      rawHeaders: fc.array(headerValue),
    }),
    one => {
      edge({ headers: { ...one.headers }, rawHeaders: [...one.rawHeaders] })
      sound(believing({ headers: { ...one.headers }, rawHeaders: [...one.rawHeaders] }).lane)
    },
  ),
  property('scope: any host has a verdict, link-local and metadata never get a tag', host, name => {
    const verdict = scope.includes(name)
    let url: URL
    try {
      // An address comes from a URL with brackets, from the options of a request without.
      url = new URL(`http://${isIPv6(name) ? `[${name}]` : name}/`)
    } catch {
      must(!verdict, `${name} is no host`)
      return
    }
    if (/^169\.254\.|^\[fe[89ab]|^\[::ffff:a9fe|^100\.100\.100\.200$/.test(url.hostname))
      must(!verdict, `${name} got the tag`)
  }),
  ...Object.entries(READERS).flatMap(([reader, read]) =>
    Object.entries(PAYLOADS).map(([payload, unit]) =>
      linear(`${reader}: ${payload}`, bytes => unit.repeat(Math.ceil(bytes / unit.length)), read),
    ),
  ),
  ...Object.entries(BYTE_READERS).flatMap(([reader, read]) =>
    Object.entries(COSTLY).map(([payload, unit]) =>
      perByte(
        `${reader}: ${payload}`,
        (bytes, index) => `a${index}=1,${unit.repeat(Math.ceil(bytes / unit.length))}`,
        honestBaggage,
        read,
      ),
    ),
  ),
  perByte(
    'lines of baggage at an edge: our key',
    (bytes, index) => members(bytes, at => `+x-mse-tag=${index}${at}`),
    (bytes, index) => members(bytes, at => `member=${index}${at}`),
    manyLines,
  ),
]

function isOurs(member: string): boolean {
  let key = member.slice(0, member.includes('=') ? member.indexOf('=') : undefined).trim()
  try {
    key = decodeURIComponent(key).trim()
  } catch {
    return false
  }
  return key === BAGGAGE_KEY || key === MSE_BAGGAGE_KEY
}

function pairs(list: readonly string[]): [string, string][] {
  return list.flatMap((one, index) => (index % 2 === 0 ? [[one, list[index + 1] ?? ''] as [string, string]] : []))
}

function encodeURIComponentSafely(text: string): string {
  try {
    return encodeURIComponent(text)
  } catch {
    return '%'
  }
}

function jsonSafely(value: unknown): string {
  try {
    return JSON.stringify(value, (_, one) => (typeof one === 'bigint' ? Number(one) : one)) ?? ''
  } catch {
    return '['
  }
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : jsonSafely(value)
}
