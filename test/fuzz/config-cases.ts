// Files that people write: the endpoints of a file source, the configuration of the gateway.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { LanewayError, parseLane } from '@laneway/core'
import { createFileSource, createLaneResolver } from '@laneway/discovery'
import fc from 'fast-check'
// The reader of the text; a file for each of a hundred thousand texts would measure the disk.
import { parseServicesFile } from '../../packages/discovery/src/source/services-file.js'
import { loadConfig } from '../../packages/gateway/src/config/load-config.js'
import { type FuzzCase, linear, must, property, rows, same } from './fuzz-case.js'

const GOOD = '{"services":{"sc-b":[{"host":"10.0.0.1","port":80},{"host":"10.0.0.2","port":80,"tags":["gray"]}]}}'
const edit = fc.record({
  at: fc.nat(GOOD.length),
  cut: fc.nat(12),
  put: fc.oneof(
    fc.constantFrom(
      '"',
      '{',
      '[',
      ']',
      '}',
      ',',
      '__proto__',
      'constructor',
      'null',
      '1e999',
      '\uFEFF',
      '\0',
      '"tag":',
      '"labels":{"__proto__":"gray"}',
    ),
    fc.string({ maxLength: 8 }),
  ),
})
const text = fc.oneof(
  fc
    .array(edit, { maxLength: 4 })
    .map(edits => edits.reduce((whole, { at, cut, put }) => whole.slice(0, at) + put + whole.slice(at + cut), GOOD)),
  fc.json(),
  fc.string({ unit: 'binary', maxLength: 100 }),
  fc
    .dictionary(
      fc.constantFrom('__proto__', 'constructor', 'sc-b', 'SC-B', ''),
      fc.array(
        fc.dictionary(
          fc.constantFrom('host', 'port', 'tags', 'labels', 'metadata', '__proto__', 'weight'),
          fc.anything(),
        ),
      ),
    )
    .map(services => {
      try {
        return JSON.stringify({ services })
      } catch {
        return '{'
      }
    }),
)

function oursOnly(source: string): void {
  try {
    for (const [service, endpoints] of parseServicesFile(source, ['version']))
      must(service !== '' && Array.isArray(endpoints), service)
  } catch (error) {
    must(error instanceof LanewayError && error.code === 'LANEWAY_SOURCE', `escaped: ${String(error)}`)
    must(error.message.length < 1000, `a message of ${error.message.length} characters`)
  }
}

/** What a program sees of a file: the lane's endpoint after a good file was replaced by another. */
async function throughFile(row: {
  readonly name: string
  readonly text: string
  readonly gray: string | undefined
}): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'laneway-fuzz-'))
  const path = join(folder, 'endpoints.json')
  writeFileSync(path, row.text)
  const source = createFileSource(path, { warn() {} })
  const resolver = createLaneResolver({
    sources: [source],
    services: ['sc-b'],
    warn() {},
    env: {},
    readyTimeoutMs: 200,
  })
  try {
    same(resolver.pick('sc-b', parseLane('gray')).endpoint?.address, row.gray, 'gray')
  } finally {
    await resolver.close()
    rmSync(folder, { recursive: true, force: true })
  }
}

const GATEWAY = `version: 1
listeners: [{ port: 8080, host: 127.0.0.1 }, { port: 0, protocol: h2c }]
admin: { port: 9901 }
trust: edge
upstream: { connectTimeoutMs: 100 }
drain: { delayMs: 5 }
discovery:
  static: { sc-a: [{ host: 127.0.0.1, port: 1 }, { host: 127.0.0.1, port: 2, tags: [gray] }] }
  nacos: { servers: [a:8848], group: g }
  whenLaneMissing: base
rules:
  - { name: r, when: { header: { name: user-agent, exact: x } }, lane: gray }
routes:
  - { path: { prefix: / }, host: '*.example', headers: { a: b }, service: sc-a, timeoutMs: 5 }
`
const gatewayWords = [
  ...[
    ' null',
    ' 5',
    ' []',
    ' {}',
    ' [null]',
    ' {a: 1}',
    ' "x"',
    ' .nan',
    ' 1e999',
    ' -1',
    ' true',
    '\n---\n',
    '\uFEFF',
  ],
  ...[
    'version',
    'rules',
    'routes',
    'static',
    'nacos',
    'tls',
    'kind',
    '__proto__',
    'constructor',
    ': ',
    '{',
    '}',
    '[',
    ']',
  ],
]
const gatewayText = fc.oneof(
  fc
    .array(
      fc.record({
        at: fc.nat(GATEWAY.length),
        cut: fc.nat(30),
        put: fc.oneof(fc.constantFrom(...gatewayWords), fc.string({ maxLength: 6 })),
      }),
      { maxLength: 4 },
    )
    .map(edits => edits.reduce((whole, { at, cut, put }) => whole.slice(0, at) + put + whole.slice(at + cut), GATEWAY)),
  // One value of the document, or a part of one, is something else.
  fc.tuple(fc.nat(60), fc.constantFrom(...gatewayWords.slice(0, 11))).map(([nth, put]) =>
    GATEWAY.replaceAll(
      /: (?:[^\s,}\]]+|\{[^}]*\})/g,
      (() => {
        let at = 0
        return (found: string) => (at++ === nth ? `:${put}` : found)
      })(),
    ),
  ),
  fc.json(),
)
const folder = mkdtempSync(join(tmpdir(), 'laneway-fuzz-'))
process.on('exit', () => rmSync(folder, { recursive: true, force: true }))

function gatewayOursOnly(source: string): void {
  const file = join(folder, 'gateway.yaml')
  writeFileSync(file, source)
  try {
    must(loadConfig(file).config.version === 1, 'another version')
  } catch (error) {
    must(error instanceof LanewayError, `escaped: ${String((error as Error)?.stack)}`)
    must(error.message.length < 20_000, `a message of ${error.message.length} characters`)
  }
}

export const configCases: readonly FuzzCase[] = [
  property('gateway.yaml: any text is taken or refused by us', gatewayText, gatewayOursOnly, 0.2),
  property('file: any text is taken or refused by us', text, oursOnly),
  rows(
    'file: what a program sees of it',
    [
      { name: 'good', text: GOOD, gray: '10.0.0.2:80' },
      { name: 'byte order mark', text: `\uFEFF${GOOD}`, gray: '10.0.0.2:80' },
      { name: 'cut off', text: GOOD.slice(0, -3), gray: undefined },
      { name: 'a misspelt field refuses all', text: GOOD.replace('"tags"', '"tag"'), gray: undefined },
      {
        name: 'the prototype as a service',
        text: '{"services":{"__proto__":[{"host":"10.0.0.2","port":80,"tags":["gray"]}]}}',
        gray: undefined,
      },
      { name: 'the prototype as a field', text: '{"__proto__":{"services":{}}}', gray: undefined },
      { name: 'the metadata service', text: GOOD.replace('10.0.0.2', '169.254.169.254'), gray: '10.0.0.1:80' },
      { name: 'a negative weight', text: GOOD.replace('"tags"', '"weight":-1,"tags"'), gray: undefined },
      { name: 'a weight that is infinite', text: GOOD.replace('"tags"', '"weight":1e999,"tags"'), gray: undefined },
      { name: 'empty', text: '', gray: undefined },
    ],
    throughFile,
  ),
  linear('file: brackets', bytes => '['.repeat(bytes / 2) + ']'.repeat(bytes / 2), oursOnly),
  linear('file: white space', bytes => ' '.repeat(bytes), oursOnly),
  linear('file: lines, then nonsense', bytes => `${'\n'.repeat(bytes)}x`, oursOnly),
  linear(
    'file: services',
    bytes =>
      JSON.stringify({
        services: Object.fromEntries(Array.from({ length: bytes / 16 }, (_, index) => [`s${index}`, []])),
      }),
    oursOnly,
  ),
  linear(
    'file: endpoints',
    bytes =>
      JSON.stringify({
        services: { s: Array.from({ length: bytes / 32 }, (_, index) => ({ host: `h${index}`, port: 1 })) },
      }),
    oursOnly,
  ),
  linear(
    'file: unknown keys',
    bytes => JSON.stringify(Object.fromEntries(Array.from({ length: bytes / 16 }, (_, index) => [`key${index}`, 1]))),
    oursOnly,
  ),
  linear('file: one key of a megabyte', bytes => JSON.stringify({ ['k'.repeat(bytes)]: 1 }), oursOnly),
]
