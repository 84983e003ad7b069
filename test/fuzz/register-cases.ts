// What an operator writes for register: the environment, and laneway.config.json.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { LanewayError } from '@laneway/core'
import fc from 'fast-check'
import { type RegisterConfig, readConfig } from '../../packages/register/src/config/config.js'
import { type FuzzCase, linear, must, property, rows, same } from './fuzz-case.js'

const folder = mkdtempSync(join(tmpdir(), 'laneway-fuzz-register-'))
process.once('exit', () => rmSync(folder, { recursive: true, force: true }))
const empty = mkdtempSync(join(folder, 'empty-'))
const file = join(folder, 'laneway.config.json')
const { cache } = createRequire(import.meta.url)

const TEXTS = ['service', 'nacosNamespace', 'nacosGroup', 'endpointsFile', 'rules']
const LISTS = ['services', 'nacos', 'propagateTo', 'header', 'isolate', 'disable']
const FLAGS = ['kubernetes', 'otel', 'diagnose']
const CHOICES = ['trust', 'ownLane', 'messages', 'log']
const NUMBERS = ['port', 'shutdownMs']
const NAMES = [...TEXTS, ...LISTS, ...FLAGS, ...CHOICES, ...NUMBERS, 'tag']
const VARIABLES = [
  ...NAMES.map(name => `LANEWAY_${name.replace(/[A-Z]/g, one => `_${one}`).toUpperCase()}`),
  'LANEWAY_SHUTDOWN_MS',
  'LANEWAY_ENDPOINTS_FILE',
]
const word = fc.oneof(
  fc.constantFrom(
    '',
    ' ',
    '0',
    '1',
    '-1',
    '1e999',
    'NaN',
    '0x10',
    'true',
    'private',
    'edge',
    'all',
    'ingress',
    ',,',
    'a,,b',
  ),
  fc.constantFrom('__proto__', 'constructor', 'gray', 'nacos:8848', '*.example.com', '\0', '\u2028', 'a\r\nb'),
  fc.string({ unit: 'binary', maxLength: 20 }),
)
const environment = fc.dictionary(fc.oneof(fc.constantFrom(...VARIABLES), word), word, { maxKeys: 6 })
const value = fc.oneof(word, fc.jsonValue({ maxDepth: 2 }), fc.double(), fc.array(word, { maxLength: 3 }))
const content = fc.oneof(
  fc
    .dictionary(fc.oneof(fc.constantFrom(...NAMES, '__proto__', 'constructor', 'default', 'serivce'), word), value, {
      maxKeys: 5,
    })
    .map(object => JSON.stringify(object)),
  fc.json(),
  fc.string({ unit: 'binary', maxLength: 60 }),
)

/** @throws what is none of our refusals */
function read(env: Record<string, string | undefined>, where: string): RegisterConfig | undefined {
  try {
    return readConfig(env, where)
  } catch (error) {
    must(error instanceof LanewayError && error.code === 'LANEWAY_INVALID_OPTION', `escaped: ${String(error)}`)
    must(error.message.length < 1300 + folder.length, `a message of ${error.message.length} characters`)
    return undefined
  }
}

function readFile(text: string, env: Record<string, string | undefined> = {}): RegisterConfig | undefined {
  writeFileSync(file, text)
  delete cache[file]
  return read(env, folder)
}

/** What is taken is what the types say, so that nothing later trips over it. */
function sound(config: RegisterConfig | undefined): void {
  if (config === undefined) return
  const all = config as unknown as Record<string, unknown>
  for (const name of TEXTS) must(all[name] === undefined || typeof all[name] === 'string', `${name}: ${all[name]}`)
  for (const name of FLAGS) must(typeof all[name] === 'boolean', `${name}: ${all[name]}`)
  for (const name of CHOICES) must(typeof all[name] === 'string', `${name}: ${all[name]}`)
  for (const name of ['services', 'nacos', 'propagateTo', 'header', 'isolate']) {
    const list = all[name] ?? []
    must(Array.isArray(list) && list.every(one => typeof one === 'string'), `${name}: ${String(list)}`)
  }
  const { port, shutdownMs } = config
  for (const one of [port ?? 0, shutdownMs]) must(Number.isInteger(one) && one >= 0, `number ${one}`)
  must(Object.isFrozen(config), 'not frozen')
}

export const registerCases: readonly FuzzCase[] = [
  property('register: any environment is taken or refused by us', environment, env => sound(read(env, empty))),
  property(
    'register: any laneway.config.json is taken or refused by us',
    fc.tuple(content, environment),
    ([text, env]) => sound(readFile(text, env)),
    0.5,
  ),
  rows(
    'register: what a configuration file comes to',
    [
      { name: 'empty object', text: '{}', service: undefined, taken: true },
      { name: 'good', text: '{"service":"sc-a","port":80}', service: 'sc-a', taken: true },
      { name: 'a misspelt name refuses all', text: '{"serivce":"sc-a"}', service: undefined, taken: false },
      { name: 'a service that is a number', text: '{"service":5}', service: undefined, taken: false },
      { name: 'a port that is none', text: '{"port":-1}', service: undefined, taken: false },
      { name: 'a port that is infinite', text: '{"port":1e999}', service: undefined, taken: false },
      { name: 'the prototype as a name', text: '{"__proto__":{"service":"x"}}', service: undefined, taken: false },
      { name: 'null', text: 'null', service: undefined, taken: false },
      { name: 'a list', text: '[]', service: undefined, taken: false },
      { name: 'a text', text: '"sc-a"', service: undefined, taken: false },
      { name: 'cut off', text: '{"service":"sc-a"', service: undefined, taken: false },
      { name: 'no byte', text: '', service: undefined, taken: false },
    ],
    ({ text, service, taken }) => {
      const config = readFile(text)
      same(config !== undefined, taken, 'taken')
      same(config?.service, service, 'service')
      same(({} as { service?: unknown }).service, undefined, 'every object')
    },
  ),
  linear(
    'register: a list of services',
    bytes => ({ LANEWAY_SERVICES: 'a,'.repeat(bytes / 2) }),
    env => read(env, empty),
  ),
  linear(
    'register: white space',
    bytes => ({ LANEWAY_SERVICE: ' '.repeat(bytes) }),
    env => read(env, empty),
  ),
  linear(
    'register: unknown names',
    bytes => JSON.stringify(Object.fromEntries(Array.from({ length: bytes / 16 }, (_, index) => [`key${index}`, 1]))),
    text => readFile(text),
  ),
  linear(
    'register: one name',
    bytes => JSON.stringify({ ['k'.repeat(bytes)]: 1 }),
    text => readFile(text),
  ),
]
