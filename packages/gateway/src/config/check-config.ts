import { resolve } from 'node:path'
import { describe, OptionPlace } from '@laneway/core/internal'
import { createHttpSource, createLaneResolver, createStaticSource } from '@laneway/discovery'
import { parseEndpoint } from '@laneway/discovery/internal'
import { compileRules, parseRules, type RulesDocument } from '@laneway/rules'
import { rulesOptionsOf } from '../route/rules-options.js'
import type { DiscoveryConfig, GatewayConfig, RulesConfig } from './config.js'
import type { ConfigProblems } from './config-problems.js'
import { readText } from './read-text.js'

const DISCOVERY_KEYS: readonly (keyof DiscoveryConfig)[] = [
  'static',
  'file',
  'http',
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

const SOURCES = ['static', 'file', 'http', 'nacos', 'kubernetes']
const SOURCE_NAMES = 'static, file, http, nacos or kubernetes'

/** Checks where endpoints come from, and how they are chosen, without connecting to anything. */
export function checkDiscovery(discovery: DiscoveryConfig | undefined, problems: ConfigProblems): void {
  if (discovery === undefined || discovery === null) {
    problems.add(['discovery'], `is missing: ${SOURCE_NAMES}`)
    return
  }
  if (!problems.keys(['discovery'], discovery, DISCOVERY_KEYS)) return
  const { static: fixed, file, http, nacos, kubernetes } = discovery
  if ([fixed, file, http, nacos].every(one => one === undefined) && (kubernetes ?? false) === false) {
    // An unknown key is a misspelt source, and has been reported.
    if (Object.keys(discovery).every(key => DISCOVERY_KEYS.includes(key as 'file'))) {
      problems.add(['discovery'], `names no source: ${SOURCE_NAMES}`)
    }
  }
  if (fixed !== undefined) checkStatic(fixed, problems)
  if (nacos !== undefined) checkNacos(nacos, problems)
  if (file !== undefined && typeof file !== 'string') {
    problems.add(['discovery', 'file'], `is a file name, received ${describe(file)}`)
  }
  if (http !== undefined && problems.keys(['discovery', 'http'], http, ['url'])) {
    problems.check(() => void createHttpSource(http.url), ['discovery', 'http'])
  }
  if (kubernetes !== undefined && typeof kubernetes !== 'boolean' && !isObject(kubernetes)) {
    problems.add(['discovery', 'kubernetes'], `is true or options, received ${describe(kubernetes)}`)
  }
  for (const [key, value] of Object.entries(discovery)) {
    if (SOURCES.includes(key) || !DISCOVERY_KEYS.includes(key as 'file')) continue
    const work = () => {
      const resolver = createLaneResolver({ sources: [createStaticSource()], warn() {}, env: {}, [key]: value })
      void resolver.close()
    }
    problems.check(work, ['discovery'], ['discovery', key])
  }
}

function checkStatic(fixed: unknown, problems: ConfigProblems): void {
  if (!isObject(fixed)) {
    problems.add(['discovery', 'static'], `maps services to endpoints, received ${describe(fixed)}`)
    return
  }
  for (const [service, endpoints] of Object.entries(fixed)) {
    const path = ['discovery', 'static', service]
    if (!Array.isArray(endpoints)) {
      problems.add(path, `is a list of endpoints, received ${describe(endpoints)}`)
      continue
    }
    for (const [index, endpoint] of endpoints.entries()) {
      const refused = (problem: string) => problems.add([...path, index], `is no endpoint: ${problem}`)
      // Whether a link-local address may be used is the resolver's decision.
      parseEndpoint(endpoint, { allowLinkLocal: true, refused })
    }
  }
}

const NACOS_KEYS = ['servers', 'namespace', 'group', 'username', 'password']

function checkNacos(nacos: NonNullable<DiscoveryConfig['nacos']>, problems: ConfigProblems): void {
  if (!problems.keys(['discovery', 'nacos'], nacos, NACOS_KEYS)) return
  const { servers } = nacos as { servers?: unknown }
  const at = ['discovery', 'nacos', 'servers']
  if (servers === undefined) {
    problems.add(['discovery', 'nacos'], 'has no servers')
    return
  }
  const list: unknown[] = Array.isArray(servers) ? servers : [servers]
  for (const entry of list.flatMap(one => (typeof one === 'string' ? one.split(',') : [one]))) {
    if (typeof entry !== 'string') problems.add(at, `has texts, received ${describe(entry)}`)
    // Not quoted, because it may hold a password.
    else if (entry.includes('@')) problems.add(at, 'has no user and password: they are options')
    else if (/^\s*(?!https?:)[a-z][a-z0-9+.-]*:\/\//i.test(entry)) {
      problems.add(at, `has host:port or an http(s) URL, received ${describe(entry.trim())}`)
    }
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Checks the colouring rules: those in the configuration, or in the file that it names. */
export function checkRules(config: GatewayConfig, folder: string, problems: ConfigProblems): void {
  const rules = config.rules as RulesConfig | null | undefined
  if (rules === undefined) return
  const options = rulesOptionsOf(config)
  if (Array.isArray(rules)) {
    problems.check(() => void compileRules({ version: 1, rules } as RulesDocument, options))
    return
  }
  const place = new OptionPlace('', ['rules'])
  if (!problems.keys(place.path, rules, ['file', 'nacos', 'weightKey'])) return
  const { file, nacos, weightKey } = rules as { file?: unknown; nacos?: { dataId?: unknown }; weightKey?: never }
  if ((file === undefined) === (nacos === undefined)) {
    problems.report(place.invalid('is a list, or has one of file, nacos'))
  } else if (nacos !== undefined) {
    if (!problems.keys(place.at('nacos').path, nacos, ['dataId', 'group'])) return
    if (typeof nacos.dataId !== 'string')
      problems.report(place.at('nacos', 'dataId').unexpected('a text', nacos.dataId))
    if (config.discovery?.nacos === undefined) {
      problems.report(place.at('nacos').invalid('needs discovery.nacos: the servers are named there'))
    }
  } else if (typeof file !== 'string') problems.report(place.at('file').unexpected('a file name', file))
  else {
    const source = resolve(folder, file)
    const given = weightKey === undefined ? options : { ...options, weightKey }
    problems.check(() => void parseRules(readText(source, place.at('file')), { source, ...given }))
  }
}
