import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { LanewayError } from '@laneway/core'
import { assertKnownKeys, describe, nearest } from '@laneway/core/internal'
import { parseLanesPlace } from '../lanes/lanes-place.js'
import { CONSUMERS } from '../libraries/consumers.js'
import { DRIVERS } from '../libraries/drivers.js'
import { FASTQ, QUEUES } from '../libraries/queue-hook.js'
import { MESSAGE_CLIENTS } from '../messages/message-clients.js'
import { requireFrom } from '../on-demand.js'
import { FIELDS, type RegisterOptions } from './fields.js'
import { parseField } from './parse-field.js'
import { assertKnownVariables, isServiceLink } from './unknown-variables.js'

export type { RegisterOptions } from './fields.js'

/** What can be switched off by name. */
export const PARTS = [
  ...([
    'ingress',
    'express',
    'fastify',
    'koa',
    'hapi',
    'nest',
    'next',
    'http',
    'undici',
    'grpc',
    'sockets',
    'redis-streams',
    'trace',
  ] as const),
  ...(Object.keys(DRIVERS) as (keyof typeof DRIVERS)[]),
  ...(Object.keys(QUEUES) as (keyof typeof QUEUES)[]),
  FASTQ,
  ...(Object.keys(CONSUMERS) as (keyof typeof CONSUMERS)[]),
  ...(Object.keys(MESSAGE_CLIENTS).filter(name => !(name in CONSUMERS)) as (keyof typeof MESSAGE_CLIENTS)[]),
  ...(['discovery', 'registration', 'signals'] as const),
] as const

/** {@link RegisterOptions} with defaults, and where they came from. */
export interface RegisterConfig extends Readonly<Omit<RegisterOptions, 'disable'>> {
  readonly services: readonly string[]
  readonly nacos: readonly string[]
  readonly nacosClusters: readonly string[]
  readonly kubernetes: boolean
  readonly propagateTo: readonly string[]
  readonly trust: 'private' | 'internal' | 'edge'
  readonly ownLane: 'ignore' | 'colour'
  readonly otel: boolean
  readonly messages: 'propagate' | 'isolate' | 'off'
  readonly isolate: readonly string[]
  readonly disabled: ReadonlySet<string>
  readonly shutdownMs: number
  readonly leaveDelayMs: number
  readonly diagnose: boolean
  readonly log: 'debug' | 'warn' | 'silent'
  readonly logFormat: 'text' | 'json'
  /** The configuration file that was read, `undefined` for none. */
  readonly file: string | undefined
}

/** Callers learn of a departure within a second; the rest is for slow ones. */
const NOTICE_MS = 3000

/** The environment variable of an option; `undefined` for a name that is none. */
export function variableOf(option: string): string | undefined {
  return Object.hasOwn(FIELDS, option) ? FIELDS[option as keyof RegisterOptions].variable : undefined
}

const FILES = ['laneway.config.json', 'laneway.config.js', 'laneway.config.mjs', 'laneway.config.cjs']

type Environment = Readonly<Record<string, string | undefined>>

/**
 * Reads the environment, then the configuration file of a folder.
 *
 * @throws LanewayError `LANEWAY_INVALID_OPTION` for unknown names and values out of range
 */
export function readConfig(env: Environment, folder: string): RegisterConfig {
  assertKnownVariables(env)
  const { file, options } = readFile(folder)
  const said: { -readonly [K in keyof RegisterOptions]?: unknown } = {}
  for (const key of Object.keys(FIELDS) as (keyof typeof FIELDS)[]) {
    const value = fromEnvironment(env, key) ?? fromFile(file, options, key)
    if (value !== undefined) said[key] = value
  }
  // The variable is read where all adapters read it, so that a wrong value is reported by its name.
  if (env['LANEWAY_TAG']?.trim()) delete said.tag
  const { disable, ...rest } = said as RegisterOptions
  // Nacos pushes within a second; more than a few would make every restart slow.
  const shutdownMs = rest.shutdownMs ?? 5000
  const isolate = rest.isolate ?? []
  // Checked here, for those who read a configuration without starting.
  if (rest.lanes !== undefined) parseLanesPlace(rest.lanes)
  if (rest.messages === 'isolate' && isolate.length === 0) {
    throw invalid('LANEWAY_MESSAGES is "isolate", and LANEWAY_ISOLATE names no queue; name the queues of this service')
  }
  return Object.freeze({
    ...rest,
    services: rest.services ?? [],
    nacos: rest.nacos ?? [],
    nacosClusters: rest.nacosClusters ?? [],
    kubernetes: rest.kubernetes ?? false,
    propagateTo: rest.propagateTo ?? [],
    trust: rest.trust ?? 'private',
    ownLane: rest.ownLane ?? 'ignore',
    otel: rest.otel ?? false,
    messages: rest.messages ?? (isolate.length > 0 ? 'isolate' : 'propagate'),
    isolate,
    disabled: readParts(disable ?? []),
    shutdownMs,
    leaveDelayMs: rest.leaveDelayMs ?? Math.min(NOTICE_MS, shutdownMs),
    diagnose: rest.diagnose ?? false,
    log: rest.log ?? 'warn',
    logFormat: rest.logFormat ?? 'text',
    file,
  })
}

function fromEnvironment(env: Environment, key: keyof typeof FIELDS): unknown {
  const field = FIELDS[key]
  const text = env[field.variable]?.trim()
  const given = text !== undefined && text !== '' && !isServiceLink(field.variable, text)
  if (field.kind !== 'secret') return given ? parseField(field.variable, text, field) : undefined
  const variable = `${field.variable}_FILE`
  const path = env[variable]?.trim()
  if (path === undefined || path === '') return given ? text : undefined
  if (given) throw invalid(`${field.variable} and ${variable} are both set; keep one of them`)
  let secret: string
  try {
    secret = readFileSync(path, 'utf8').replace(/\r?\n$/, '')
  } catch (cause) {
    throw invalid(`${variable} names a file that cannot be read: ${(cause as Error).message}`, cause)
  }
  if (secret === '') throw invalid(`${variable} names an empty file, ${path}; write the password into it`)
  return secret
}

function fromFile(file: string | undefined, options: RegisterOptions, key: keyof typeof FIELDS): unknown {
  const value: unknown = options[key]
  return value === undefined ? undefined : parseField(`${file}: ${key}`, value, FIELDS[key])
}

function readFile(folder: string): { file: string | undefined; options: RegisterOptions } {
  const file = FILES.map(name => join(folder, name)).find(existsSync)
  if (file === undefined) return { file, options: {} }
  let loaded: unknown
  try {
    loaded = requireFrom(file, file)
  } catch (cause) {
    throw invalid(`${file} cannot be read: ${(cause as Error).message}`, cause)
  }
  const options = (loaded as { default?: unknown } | null)?.default ?? loaded
  assertKnownKeys(file, options as object, ['$schema', ...Object.keys(FIELDS)])
  return { file, options: options as RegisterOptions }
}

function readParts(parts: readonly string[]): ReadonlySet<string> {
  for (const part of parts) {
    if (part === 'all' || (PARTS as readonly string[]).includes(part)) continue
    const near = nearest(part, PARTS)
    const hint = near === undefined ? `; there are ${PARTS.join(', ')} and all` : `, did you mean "${near}"?`
    const message = `LANEWAY_DISABLE: there is no part ${describe(part)}${hint}`
    throw new LanewayError('LANEWAY_INVALID_OPTION', message, { suggestion: near })
  }
  return new Set(parts)
}

function invalid(message: string, cause?: unknown): LanewayError {
  return new LanewayError('LANEWAY_INVALID_OPTION', message, cause === undefined ? undefined : { cause })
}
