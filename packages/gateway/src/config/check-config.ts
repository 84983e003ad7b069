import { resolve } from 'node:path'
import { assertKnownKeys, describe, LanewayError } from '@laneway/core'
import { createLaneResolver, createStaticSource } from '@laneway/discovery'
import { compileRules, parseRules, type RulesDocument } from '@laneway/rules'
import { rulesOptionsOf } from '../create-gateway.js'
import type { DiscoveryConfig, GatewayConfig, RulesConfig } from './config.js'
import type { ConfigProblems } from './config-problems.js'
import { readText } from './read-text.js'

const DISCOVERY_KEYS: readonly (keyof DiscoveryConfig)[] = [
  'static',
  'file',
  'nacos',
  'kubernetes',
  'services',
  'whenLaneMissing',
  'whenLaneUnavailable',
  'policies',
  'balancer',
  'baseEmpty',
  'aliases',
  'suffixes',
  'clusterDomain',
  'namespace',
  'readyTimeoutMs',
]

const SOURCES = ['static', 'file', 'nacos', 'kubernetes']

/** Checks where endpoints come from, and how they are chosen, without connecting to anything. */
export function checkDiscovery(discovery: DiscoveryConfig | undefined, problems: ConfigProblems): void {
  if (discovery === undefined || discovery === null) {
    problems.add(['discovery'], 'discovery is missing: static, file, nacos or kubernetes')
    return
  }
  if (!problems.keys('discovery', discovery, DISCOVERY_KEYS)) return
  const { static: fixed, file, nacos, kubernetes } = discovery
  if (fixed === undefined && file === undefined && nacos === undefined && (kubernetes ?? false) === false) {
    // A misspelt source has been reported.
    if (Object.keys(discovery).every(key => DISCOVERY_KEYS.includes(key as 'file'))) {
      problems.add(['discovery'], 'discovery names no source: static, file, nacos or kubernetes')
    }
  }
  if (fixed !== undefined) checkStatic(fixed, problems)
  if (nacos !== undefined) checkNacos(nacos, problems)
  if (file !== undefined && typeof file !== 'string') {
    problems.add(['discovery', 'file'], `discovery.file is a file name, received ${describe(file)}`)
  }
  if (kubernetes !== undefined && typeof kubernetes !== 'boolean' && !isObject(kubernetes)) {
    problems.add(
      ['discovery', 'kubernetes'],
      `discovery.kubernetes is true or options, received ${describe(kubernetes)}`,
    )
  }
  for (const [key, value] of Object.entries(discovery)) {
    if (SOURCES.includes(key) || !DISCOVERY_KEYS.includes(key as 'file')) continue
    problems.check(
      () => {
        const resolver = createLaneResolver({ sources: [createStaticSource()], warn() {}, env: {}, [key]: value })
        void resolver.close()
      },
      ['discovery', key],
      `createLaneResolver.${key}`,
    )
  }
}

function checkStatic(fixed: unknown, problems: ConfigProblems): void {
  if (!isObject(fixed)) {
    problems.add(['discovery', 'static'], `discovery.static maps services to endpoints, received ${describe(fixed)}`)
    return
  }
  for (const [service, endpoints] of Object.entries(fixed)) {
    if (!Array.isArray(endpoints)) {
      const message = `discovery.static.${service} is a list of endpoints, received ${describe(endpoints)}`
      problems.add(['discovery', 'static', service], message)
      continue
    }
    for (const [index, endpoint] of endpoints.entries()) {
      const at = ['discovery', 'static', service, index]
      if (isObject(endpoint))
        problems.check(() => void createStaticSource({ [service]: [endpoint as never] }), at, `${service}[0]`)
      else problems.add(at, `discovery.static.${service}[${index}] is an object, received ${describe(endpoint)}`)
    }
  }
}

function checkNacos(nacos: NonNullable<DiscoveryConfig['nacos']>, problems: ConfigProblems): void {
  if (!problems.keys('discovery.nacos', nacos, ['servers', 'namespace', 'group', 'username', 'password'])) return
  const { servers } = nacos as { servers?: unknown }
  const at = ['discovery', 'nacos', 'servers']
  if (servers === undefined) {
    problems.add(['discovery', 'nacos'], 'discovery.nacos.servers is missing')
    return
  }
  const list: unknown[] = Array.isArray(servers) ? servers : [servers]
  for (const entry of list.flatMap(one => (typeof one === 'string' ? one.split(',') : [one]))) {
    if (typeof entry !== 'string') problems.add(at, `discovery.nacos.servers has texts, received ${describe(entry)}`)
    // Not quoted: it may hold a password.
    else if (entry.includes('@')) problems.add(at, 'discovery.nacos.servers has no user and password: they are options')
    else if (/^\s*(?!https?:)[a-z][a-z0-9+.-]*:\/\//i.test(entry)) {
      problems.add(at, `discovery.nacos.servers has host:port or an http(s) URL, received ${describe(entry.trim())}`)
    }
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** @throws LanewayError `LANEWAY_INVALID_OPTION`, `LANEWAY_INVALID_RULES` */
export function checkRules(rules: RulesConfig | undefined, config: GatewayConfig, folder: string): void {
  if (rules === undefined) return
  const options = rulesOptionsOf({
    header: typeof config.header === 'string' ? config.header.toLowerCase() : 'x-mse-tag',
    proxies: config.proxies === 'all' ? Number.POSITIVE_INFINITY : (config.proxies ?? 0),
  })
  if (Array.isArray(rules)) {
    compileRules({ version: 1, rules } as RulesDocument, options)
    return
  }
  assertKnownKeys('rules', rules, ['file', 'nacos', 'weightKey'])
  const { file, nacos, weightKey } = rules as { file?: unknown; nacos?: { dataId?: unknown }; weightKey?: never }
  if ((file === undefined) === (nacos === undefined)) {
    throw new LanewayError('LANEWAY_INVALID_OPTION', 'rules is a list, or has one of file, nacos')
  }
  if (nacos !== undefined) {
    assertKnownKeys('rules.nacos', nacos, ['dataId', 'group'])
    if (typeof nacos.dataId !== 'string') {
      throw new LanewayError(
        'LANEWAY_INVALID_OPTION',
        `rules.nacos.dataId is a text, received ${describe(nacos.dataId)}`,
      )
    }
    if (config.discovery?.nacos === undefined) {
      throw new LanewayError('LANEWAY_INVALID_OPTION', 'rules.nacos needs discovery.nacos: the servers are named there')
    }
    return
  }
  if (typeof file !== 'string') {
    throw new LanewayError('LANEWAY_INVALID_OPTION', `rules.file is a file name, received ${describe(file)}`)
  }
  const path = resolve(folder, file)
  parseRules(readText(path, 'rules.file'), { source: path, ...options, ...(weightKey !== undefined && { weightKey }) })
}
