// What a registry says of endpoints. Each rule of "Endpoints from a registry are input" is a row with its outcome.
import { parseLane } from '@laneway/core'
import {
  createLaneResolver,
  type EndpointInput,
  type LaneResolver,
  parseEndpoint,
  type Source,
  type SourceListener,
  tagsOfMetadata,
} from '@laneway/discovery'
import fc from 'fast-check'
import { type FuzzCase, linear, must, property, rows, same } from './fuzz-case.js'

interface EndpointRow {
  readonly name: string
  readonly endpoint: unknown
  /** What is connected to; `undefined`: left out. */
  readonly address: string | undefined
}

const host = (host: unknown, address?: string): EndpointRow => ({
  name: `host ${JSON.stringify(host)}`,
  endpoint: { host, port: 80 },
  address,
})
const field = (name: string, fields: object, taken: boolean): EndpointRow => ({
  name,
  endpoint: { host: '10.0.0.1', port: 80, ...fields },
  address: taken ? '10.0.0.1:80' : undefined,
})

const endpointRows: readonly EndpointRow[] = [
  host('10.0.0.1', '10.0.0.1:80'),
  host('::1', '[::1]:80'),
  host('[2001:DB8::1]', '[2001:db8::1]:80'),
  host('SC-B.Default.svc', 'sc-b.default.svc:80'),
  host('sc-b.', 'sc-b:80'),
  host('user@10.0.0.1'),
  host('user:secret@host'),
  host('10.0.0.1/admin'),
  host('10.0.0.1?x'),
  host('10.0.0.1#x'),
  host('10.0.0.1\\x'),
  host('10.0.0.1:8080'),
  host(' 10.0.0.1'),
  host('10.0.0.1\r\nx-mse-tag: gray'),
  host('10.0.0.1\t'),
  host('10.0.0.1\0'),
  host('0.0.0.0'),
  host('0.1.2.3'),
  host('::'),
  host('::ffff:0.0.0.0'),
  host('224.0.0.1'),
  host('255.255.255.255'),
  host('ff02::1'),
  host('169.254.169.254'),
  host('[::ffff:169.254.169.254]'),
  host('::ffff:a9fe:a9fe'),
  host('fe80::1'),
  host('fe80::1%eth0'),
  host('100.100.100.200'),
  host('fd00:ec2::254'),
  host('metadata.google.internal'),
  host('METADATA.google.internal.'),
  host('2852039166'),
  host('0xa9fea9fe'),
  host('0xa9.0xfe.0xa9.0xfe'),
  host('0251.0376.0251.0376'),
  host('169.254.43518'),
  host('127.1'),
  host('10.0.0.1.'),
  host('[10.0.0.1]'),
  host('[::1'),
  host('-a'),
  host('a..b'),
  host('a_b'),
  host('b\u00fccher'),
  host('\u{ff11}\u{ff10}.0.0.1'),
  host('a'.repeat(64)),
  host(`${'a.'.repeat(126)}aa`),
  host('x'.repeat(1024 * 1024)),
  host(''),
  host(undefined),
  host(null),
  host(2130706433),
  host(['10.0.0.1']),
  ...[0, -1, 65536, 80.5, Number.NaN, Number.POSITIVE_INFINITY, '80', null, undefined, [80]].map(port =>
    field(`port ${String(port)} (${typeof port})`, { port }, false),
  ),
  field('port 1', { port: 80 }, true),
  ...[Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, -1, -0.001, '1', null, {}].map(weight =>
    field(`weight ${String(weight)} (${typeof weight})`, { weight }, false),
  ),
  ...[0, 0.01, 5e-324, 1, Number.MAX_VALUE].map(weight => field(`weight ${weight}`, { weight }, true)),
  field('health of a word nobody knows', { health: 'fine' }, false),
  field('enabled that is a text', { enabled: 'false' }, false),
  field('a zone that is an object', { zone: {} }, false),
  field('tags __proto__', { tags: ['__proto__'] }, false),
  field('tags constructor, a tag like any other', { tags: ['constructor'] }, true),
  field('tags with one bad member: never taken for base', { tags: ['gray', '-'] }, false),
  field('tags that are a text', { tags: 'gray' }, false),
  field('tags base and empty', { tags: ['base', ''] }, true),
  field('64 tags', { tags: Array.from({ length: 64 }, (_, index) => `t${index}`) }, true),
  field('65 tags', { tags: Array.from({ length: 65 }, (_, index) => `t${index}`) }, false),
  field('metadata __proto__', { metadata: JSON.parse('{"__proto__":"x","a":"b"}') }, true),
  field('metadata that is a number', { metadata: 7 }, true),
  { name: 'no object', endpoint: 'http://10.0.0.1', address: undefined },
  { name: 'null', endpoint: null, address: undefined },
]

/** A source that says whatever it is told to. */
function liar(): { source: Source; say(service: string, endpoints: unknown): void; lose(service: string): void } {
  const listeners = new Map<string, SourceListener>()
  return {
    source: {
      name: 'liar',
      subscribe(service, listener) {
        listeners.set(service, listener)
        return () => listeners.delete(service)
      },
      async close() {},
    },
    say: (service, endpoints) => listeners.get(service)?.snapshot(endpoints as EndpointInput[]),
    lose: service => listeners.get(service)?.stale(new Error('lost')),
  }
}

interface SnapshotRow {
  readonly name: string
  /** Said after a good snapshot of one base endpoint and one gray one. */
  readonly snapshot: unknown
  /** Where untagged and gray requests go then. */
  readonly base: string | undefined
  readonly gray: string | undefined
  readonly status: string
}

const GOOD = [
  { host: '10.0.0.1', port: 80 },
  { host: '10.0.0.2', port: 80, tags: ['gray'] },
]
const at = (host: string, more: object = {}) => ({ host, port: 80, ...more })
const kept = { base: '10.0.0.1:80', gray: '10.0.0.2:80', status: 'stale' }
const many = (count: number, more: (index: number) => object = () => ({})) =>
  Array.from({ length: count }, (_, i) => at(`10.${(i >> 16) & 255}.${(i >> 8) & 255}.${i & 255}`, more(i)))

const snapshotRows: readonly SnapshotRow[] = [
  {
    name: 'the metadata service',
    snapshot: [at('169.254.169.254'), at('10.0.0.9')],
    base: '10.0.0.9:80',
    gray: '10.0.0.9:80',
    status: 'current',
  },
  {
    name: 'the metadata service only',
    snapshot: [at('169.254.169.254')],
    base: undefined,
    gray: undefined,
    status: 'current',
  },
  {
    name: 'weights NaN and negative',
    snapshot: [at('10.0.0.8', { weight: Number.NaN }), at('10.0.0.7', { weight: -1 }), at('10.0.0.9')],
    base: '10.0.0.9:80',
    gray: '10.0.0.9:80',
    status: 'current',
  },
  {
    name: 'weight infinite',
    snapshot: [at('10.0.0.8', { weight: Number.POSITIVE_INFINITY }), at('10.0.0.9')],
    base: '10.0.0.9:80',
    gray: '10.0.0.9:80',
    status: 'current',
  },
  {
    name: 'a bad tag is never base',
    snapshot: [at('10.0.0.8', { tags: ['__proto__'] }), at('10.0.0.9')],
    base: '10.0.0.9:80',
    gray: '10.0.0.9:80',
    status: 'current',
  },
  {
    name: 'one address twice, in two lanes: the first counts',
    snapshot: [at('10.0.0.9'), at('10.0.0.9', { tags: ['gray'] })],
    base: '10.0.0.9:80',
    gray: '10.0.0.9:80',
    status: 'current',
  },
  { name: '100,001 endpoints', snapshot: many(100_001), ...kept },
  { name: '1,000,000 endpoints', snapshot: many(1_000_000), ...kept },
  { name: '65 lanes', snapshot: many(65, index => ({ tags: [`t${index}`] })), ...kept },
  { name: 'no list', snapshot: { length: 3 }, ...kept },
  { name: 'null', snapshot: null, ...kept },
  { name: 'an empty list is a fact', snapshot: [], base: undefined, gray: undefined, status: 'current' },
]

const weight = fc.oneof(fc.double(), fc.constantFrom(0, 5e-324, 1e-300, 1, 1e308, Number.MAX_VALUE))
const jsonish = fc.oneof(fc.string({ unit: 'binary' }), fc.anything())
const endpoint = fc.oneof(
  fc.record(
    {
      host: fc.oneof(
        fc.constantFrom('10.0.0.1', '::1', 'a', '169.254.169.254', '__proto__', 'constructor'),
        fc.domain(),
        fc.ipV4Extended(),
        fc.ipV6(),
        fc.string({ unit: fc.constantFrom(...'a1.:-[]%/\\@ x0'.split('')), maxLength: 30 }),
        jsonish,
      ),
      port: fc.oneof(fc.integer({ min: -1, max: 65537 }), jsonish),
      weight: fc.oneof(weight, jsonish),
      health: fc.oneof(fc.constantFrom('healthy', 'unhealthy', 'unknown'), jsonish),
      enabled: fc.oneof(fc.boolean(), jsonish),
      tags: fc.oneof(fc.array(fc.constantFrom('gray', 'base', '', '__proto__', 'constructor')), jsonish),
      metadata: fc.oneof(fc.dictionary(fc.string(), fc.string()), jsonish),
      zone: jsonish,
    },
    { requiredKeys: [] },
  ),
  jsonish,
)

function lying<T>(use: (resolver: LaneResolver, registry: ReturnType<typeof liar>) => T): T {
  const registry = liar()
  const resolver = createLaneResolver({ sources: [registry.source], services: ['sc-b'], warn() {}, env: {} })
  try {
    return use(resolver, registry)
  } finally {
    void resolver.close()
  }
}

const gray = parseLane('gray')

export const registryCases: readonly FuzzCase[] = [
  rows('registry: each rule for an endpoint', endpointRows, row => {
    let told: string | undefined
    const parsed = parseEndpoint(row.endpoint, { refused: problem => (told = problem) })
    same(parsed?.address, row.address, 'address')
    must((told === undefined) === (parsed !== undefined), 'refused without a reason')
    must(told === undefined || told.length < 400, 'a reason as long as the input')
  }),
  rows('registry: each rule for a snapshot', snapshotRows, row =>
    lying((resolver, registry) => {
      registry.say('sc-b', GOOD)
      registry.say('sc-b', row.snapshot)
      same(resolver.pick('sc-b', undefined).endpoint?.address, row.base, 'base')
      same(resolver.pick('sc-b', gray).endpoint?.address, row.gray, 'gray')
      same(resolver.state('sc-b')?.status, row.status, 'status')
    }),
  ),
  property('registry: an endpoint that is taken is where a URL would go', endpoint, input => {
    const parsed = parseEndpoint(input)
    if (parsed === undefined) return
    const url = new URL(`http://${parsed.address}/`)
    same(url.hostname.replace(/^\[|\]$/g, ''), parsed.host, 'host')
    same(url.port === '' ? 80 : Number(url.port), parsed.port, 'port')
    must(parsed.weight >= 0 && Number.isFinite(parsed.weight), `weight ${parsed.weight}`)
    must(
      !/^(169\.254\.|0\.|22[4-9]\.|23\d\.|fe[89ab]|ff)/.test(url.hostname.replace('[', '')) ||
        /[g-z]/.test(url.hostname),
      parsed.host,
    )
  }),
  property(
    'registry: any list, then picks; base never meets a lane, a lane never another',
    fc.array(endpoint, { maxLength: 12 }),
    list =>
      lying((resolver, registry) => {
        registry.say('sc-b', list)
        for (const lane of [undefined, gray, parseLane('constructor'), parseLane('base')]) {
          for (let draw = 0; draw < 4; draw++) {
            const { endpoint, served } = resolver.pick('sc-b', lane)
            if (endpoint === undefined) continue
            const wanted = lane === undefined || lane.header === 'base' ? undefined : lane.header
            must(served === undefined || served === wanted, `${served} for ${lane?.header}`)
            must(served === undefined ? endpoint.tags.length === 0 : endpoint.tags.includes(served), 'another lane')
            must(endpoint.enabled && endpoint.weight > 0, 'one that is out of service')
          }
        }
        registry.lose('sc-b')
        resolver.explain('sc-b', gray)
      }),
    0.5,
  ),
  property(
    'registry: any weights that are taken draw an endpoint',
    fc.array(weight, { minLength: 1, maxLength: 20 }),
    weights =>
      lying((resolver, registry) => {
        registry.say(
          'sc-b',
          weights.map((weight, index) => at(`10.0.0.${index + 1}`, { weight })),
        )
        const some = weights.some(weight => weight > 0 && Number.isFinite(weight))
        for (let draw = 0; draw < 20; draw++)
          must((resolver.pick('sc-b', undefined).endpoint !== undefined) === some, 'none')
      }),
  ),
  property(
    'registry: metadata of any shape names tags or none',
    fc.oneof(
      fc.dictionary(
        fc.constantFrom(
          'opensergo.io/canary-gray',
          'opensergo.io/canary',
          'opensergo.io/canary-__proto__',
          '__micro.service.env__',
          'alicloud.service.tag',
          '__proto__',
          'constructor',
        ),
        fc.oneof(
          fc.constantFrom('', 'gray', '[{"tag":"gray"}]', '[{"tag":7},null,[]]', '{"tag":"gray"}', '__proto__'),
          fc.string(),
          fc.json(),
        ),
      ),
      jsonish,
    ),
    metadata => {
      const tags = tagsOfMetadata(metadata as Record<string, string>)
      must(Array.isArray(tags) && tags.every(tag => typeof tag === 'string' && tag !== '' && tag !== 'base'), 'no tags')
      parseEndpoint({ host: 'a', port: 1, tags })
    },
  ),
  rows(
    'registry: services called like members of an object',
    ['__proto__', 'constructor', 'toString', 'hasownproperty'].map(name => ({ name })),
    ({ name }) => {
      const registry = liar()
      const resolver = createLaneResolver({ sources: [registry.source], services: [name], warn() {}, env: {} })
      registry.say(name, GOOD)
      same(resolver.match(name, undefined, false)?.toLowerCase(), name.toLowerCase(), 'service')
      same(resolver.pick(name, gray).endpoint?.address, '10.0.0.2:80', 'gray')
      same(resolver.match('valueof', undefined, false), 'valueof', 'another, which is asked for')
      same(resolver.pick('valueOf', gray).outcome, 'not-ready', 'another')
      void resolver.close()
    },
  ),
  linear(
    'registry: 1 MB of tags in metadata',
    bytes => ({
      '__micro.service.env__': JSON.stringify(Array.from({ length: bytes / 16 }, (_, index) => ({ tag: `t${index}` }))),
    }),
    tagsOfMetadata,
  ),
  linear(
    'registry: hosts of a megabyte',
    bytes => 'a.'.repeat(bytes / 2),
    host => parseEndpoint({ host, port: 1 }),
  ),
  linear(
    'registry: a list of many small endpoints',
    bytes => many(bytes / 32),
    list => lying((_, registry) => registry.say('sc-b', list.slice(0, 9000))),
  ),
]
