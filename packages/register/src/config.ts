import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { assertKnownKeys, describe, LanewayError } from '@laneway/core'
import { CONSUMERS, DRIVERS, FRAMEWORKS } from './drivers.js'
import { requireFrom } from './on-demand.js'

/** What can be switched off by name. */
export const PARTS = [
  ...(['ingress', 'express', 'fastify', 'nest', 'http', 'undici', 'sockets'] as const),
  ...(Object.keys(FRAMEWORKS) as (keyof typeof FRAMEWORKS)[]),
  ...(Object.keys(DRIVERS) as (keyof typeof DRIVERS)[]),
  ...(Object.keys(CONSUMERS) as (keyof typeof CONSUMERS)[]),
  ...(['discovery', 'registration', 'signals'] as const),
] as const
/** See {@link PARTS}. */
export type Part = (typeof PARTS)[number]

/**
 * What `laneway.config.json|js|mjs` may say; each field has an environment variable, which comes first.
 */
export interface RegisterOptions {
  /** Name under which this instance registers. `LANEWAY_SERVICE`. @default none: it does not register */
  service?: string
  /** Port under which it registers. `LANEWAY_PORT`. @default the first port that the process listens on */
  port?: number
  /** Own lane. `LANEWAY_TAG` and its fallbacks. @default base */
  tag?: string
  /** Services to resolve even before a registry lists them. `LANEWAY_SERVICES`, separated by commas. @default [] */
  services?: readonly string[]
  /** Nacos servers, `host:8848`. `LANEWAY_NACOS`, separated by commas. @default none */
  nacos?: string | readonly string[]
  /** Nacos namespace. `LANEWAY_NACOS_NAMESPACE`. @default the public one */
  nacosNamespace?: string
  /** Nacos group. `LANEWAY_NACOS_GROUP`. @default 'DEFAULT_GROUP' */
  nacosGroup?: string
  /** Discover through the API server of Kubernetes. `LANEWAY_KUBERNETES=1`. @default false */
  kubernetes?: boolean
  /** A file of endpoints. `LANEWAY_ENDPOINTS_FILE`. @default none */
  endpointsFile?: string
  /** Hosts outside that get the tag. `LANEWAY_PROPAGATE_TO`, separated by commas. @default [] */
  propagateTo?: readonly string[]
  /** Who may colour: `private`, `internal`, `edge`. `LANEWAY_TRUST`. @default 'private' */
  trust?: 'private' | 'internal' | 'edge'
  /** The header that carries the lane. `LANEWAY_HEADER`. @default 'x-mse-tag' */
  header?: string
  /** `LANEWAY_OWN_LANE`, `ignore` or `colour`. @default 'ignore' */
  ownLane?: 'ignore' | 'colour'
  /** A rules document for the first service of a chain. `LANEWAY_RULES`. @default none */
  rules?: string
  /** Keep the lane in the OpenTelemetry context. `LANEWAY_OTEL=1`. @default false */
  otel?: boolean
  /** Parts to leave out. `LANEWAY_DISABLE`, separated by commas; `all` is the kill switch. @default [] */
  disable?: readonly (Part | 'all')[]
  /** Longest wait for deregistration when the process ends, and for the requests under way after it, in ms each. `LANEWAY_SHUTDOWN_MS`. @default 5000 */
  shutdownMs?: number
  /** Prints once what was found and hooked. `LANEWAY_DIAGNOSE=1`. @default false */
  diagnose?: boolean
  /** `debug` prints each decision with its reason. `LANEWAY_LOG`. @default 'warn' */
  log?: 'debug' | 'warn' | 'silent'
}

/** {@link RegisterOptions} with every default, and where they came from. */
export interface RegisterConfig {
  readonly service: string | undefined
  readonly port: number | undefined
  readonly tag: string | undefined
  readonly services: readonly string[]
  readonly nacos: readonly string[]
  readonly nacosNamespace: string | undefined
  readonly nacosGroup: string | undefined
  readonly kubernetes: boolean
  readonly endpointsFile: string | undefined
  readonly propagateTo: readonly string[]
  readonly trust: 'private' | 'internal' | 'edge'
  readonly header: string | undefined
  readonly ownLane: 'ignore' | 'colour'
  readonly rules: string | undefined
  readonly otel: boolean
  readonly disabled: ReadonlySet<string>
  readonly shutdownMs: number
  readonly diagnose: boolean
  readonly log: 'debug' | 'warn' | 'silent'
  /** The configuration file that was read, `undefined` for none. */
  readonly file: string | undefined
}

type Kind = 'text' | 'integer' | 'list' | 'flag' | readonly string[]

const FIELDS: Readonly<Record<keyof RegisterOptions, { variable: string; kind: Kind }>> = {
  service: { variable: 'LANEWAY_SERVICE', kind: 'text' },
  port: { variable: 'LANEWAY_PORT', kind: 'integer' },
  tag: { variable: 'LANEWAY_TAG', kind: 'text' },
  services: { variable: 'LANEWAY_SERVICES', kind: 'list' },
  nacos: { variable: 'LANEWAY_NACOS', kind: 'list' },
  nacosNamespace: { variable: 'LANEWAY_NACOS_NAMESPACE', kind: 'text' },
  nacosGroup: { variable: 'LANEWAY_NACOS_GROUP', kind: 'text' },
  kubernetes: { variable: 'LANEWAY_KUBERNETES', kind: 'flag' },
  endpointsFile: { variable: 'LANEWAY_ENDPOINTS_FILE', kind: 'text' },
  propagateTo: { variable: 'LANEWAY_PROPAGATE_TO', kind: 'list' },
  trust: { variable: 'LANEWAY_TRUST', kind: ['private', 'internal', 'edge'] },
  header: { variable: 'LANEWAY_HEADER', kind: 'text' },
  ownLane: { variable: 'LANEWAY_OWN_LANE', kind: ['ignore', 'colour'] },
  rules: { variable: 'LANEWAY_RULES', kind: 'text' },
  otel: { variable: 'LANEWAY_OTEL', kind: 'flag' },
  disable: { variable: 'LANEWAY_DISABLE', kind: 'list' },
  shutdownMs: { variable: 'LANEWAY_SHUTDOWN_MS', kind: 'integer' },
  diagnose: { variable: 'LANEWAY_DIAGNOSE', kind: 'flag' },
  log: { variable: 'LANEWAY_LOG', kind: ['debug', 'warn', 'silent'] },
}

/** The environment variable of an option; `undefined` for a name that is none. */
export function variableOf(option: string): string | undefined {
  return Object.hasOwn(FIELDS, option) ? FIELDS[option as keyof RegisterOptions].variable : undefined
}

const FILES = ['laneway.config.json', 'laneway.config.js', 'laneway.config.mjs', 'laneway.config.cjs']

/**
 * Reads the environment, then the configuration file of a folder.
 *
 * @throws LanewayError `LANEWAY_INVALID_OPTION` for unknown names and values out of range
 */
export function readConfig(env: Readonly<Record<string, string | undefined>>, folder: string): RegisterConfig {
  const { file, options } = readFile(folder)
  const told = (key: keyof RegisterOptions): unknown => {
    const { variable, kind } = FIELDS[key]
    const text = env[variable]?.trim()
    if (text !== undefined && text !== '') return check(variable, parse(text, kind), kind)
    return options[key] === undefined ? undefined : check(`${file}: ${key}`, options[key], kind)
  }
  const disabled = new Set((told('disable') as string[] | undefined) ?? [])
  for (const part of disabled) {
    if (part !== 'all' && !(PARTS as readonly string[]).includes(part)) {
      throw new LanewayError(
        'LANEWAY_INVALID_OPTION',
        `LANEWAY_DISABLE knows ${PARTS.join(', ')} and all, received ${describe(part)}`,
      )
    }
  }
  return Object.freeze({
    service: told('service') as string | undefined,
    port: told('port') as number | undefined,
    // The variable is read where all adapters read it, so that a wrong value is reported by its name.
    tag: env['LANEWAY_TAG']?.trim() ? undefined : (told('tag') as string | undefined),
    services: (told('services') as string[] | undefined) ?? [],
    nacos: (told('nacos') as string[] | undefined) ?? [],
    nacosNamespace: told('nacosNamespace') as string | undefined,
    nacosGroup: told('nacosGroup') as string | undefined,
    kubernetes: (told('kubernetes') as boolean | undefined) ?? false,
    endpointsFile: told('endpointsFile') as string | undefined,
    propagateTo: (told('propagateTo') as string[] | undefined) ?? [],
    trust: (told('trust') as RegisterConfig['trust'] | undefined) ?? 'private',
    header: told('header') as string | undefined,
    ownLane: (told('ownLane') as RegisterConfig['ownLane'] | undefined) ?? 'ignore',
    rules: told('rules') as string | undefined,
    otel: (told('otel') as boolean | undefined) ?? false,
    disabled,
    // Nacos pushes within a second; more than a few would make every restart slow.
    shutdownMs: (told('shutdownMs') as number | undefined) ?? 5000,
    diagnose: (told('diagnose') as boolean | undefined) ?? false,
    log: (told('log') as RegisterConfig['log'] | undefined) ?? 'warn',
    file,
  })
}

function readFile(folder: string): { file: string | undefined; options: RegisterOptions } {
  const file = FILES.map(name => join(folder, name)).find(existsSync)
  if (file === undefined) return { file, options: {} }
  let loaded: unknown
  try {
    loaded = requireFrom(file, file)
  } catch (cause) {
    throw new LanewayError('LANEWAY_INVALID_OPTION', `${file} cannot be read: ${(cause as Error).message}`, { cause })
  }
  const options = (loaded as { default?: unknown } | null)?.default ?? loaded
  assertKnownKeys(file, options as object, Object.keys(FIELDS))
  return { file, options: options as RegisterOptions }
}

function parse(text: string, kind: Kind): unknown {
  if (kind === 'integer') return Number(text)
  if (kind === 'flag') return text === '1' || text === 'true' ? true : text === '0' || text === 'false' ? false : text
  if (kind === 'list') {
    return text
      .split(',')
      .map(one => one.trim())
      .filter(one => one !== '')
  }
  return text
}

function check(where: string, value: unknown, kind: Kind): unknown {
  const refuse = (wanted: string) =>
    new LanewayError('LANEWAY_INVALID_OPTION', `${where} is ${wanted}, received ${describe(value)}`)
  if (kind === 'integer') {
    if (typeof value !== 'number' || !(value >= 0) || !Number.isInteger(value)) throw refuse('a whole number from 0')
  } else if (kind === 'flag') {
    if (typeof value !== 'boolean') throw refuse('1 or 0')
  } else if (kind === 'list') {
    const list = typeof value === 'string' ? parse(value, kind) : value
    if (!Array.isArray(list) || list.some(one => typeof one !== 'string')) throw refuse('a list of names')
    return list
  } else if (kind === 'text') {
    if (typeof value !== 'string') throw refuse('a text')
  } else if (!kind.includes(value as string)) throw refuse(`one of ${kind.join(', ')}`)
  return value
}
