import { readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { assertKnownKeys, assertOneOf, describe, LanewayError } from '@laneway/core'
import { compileRules, type HttpRoute, parseRules, type RulesDocument, type RulesProblem } from '@laneway/rules'
import type { DiscoveryConfig, GatewayConfig, LoadedConfig, RulesConfig } from './config.js'
import { type ConfigText, pathIn, readConfigText } from './config-text.js'
import { rulesOptionsOf } from './create-gateway.js'
import { resolveGatewayOptions, serviceOfBackend } from './options.js'
import { createRouteTable, type ServiceOf } from './route-table.js'

const KEYS: readonly (keyof GatewayConfig)[] = [
  '$schema',
  'version',
  'listeners',
  'admin',
  'trust',
  'header',
  'proxies',
  'forwarded',
  'hostHeader',
  'privateAnswers',
  'upstream',
  'propagateTo',
  'discovery',
  'rules',
  'routes',
  'routesFrom',
  'accessLog',
  'drain',
]
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

/**
 * Reads a configuration with all that it names and checks it, without connecting to anything.
 *
 * @throws LanewayError `LANEWAY_INVALID_OPTION` with every problem that was found, each as `file:line:column: what`;
 *   `LANEWAY_SOURCE` when a file cannot be read
 */
export function loadConfig(file: string): LoadedConfig {
  const folder = dirname(resolve(file))
  const text = readConfigText(file, readText(file))
  const config = text.values[0] as GatewayConfig
  const problems: string[] = []
  /** Runs one check; what it says is wrong gets its place. */
  const check = (work: () => void, within?: ConfigText): void => {
    try {
      work()
    } catch (error) {
      if (!(error instanceof LanewayError)) throw error
      problems.push(...placed(error, within ?? text))
    }
  }
  const fail = (): never => {
    throw new LanewayError('LANEWAY_INVALID_OPTION', problems.join('\n'))
  }
  check(() => assertKnownKeys('the configuration', config ?? {}, KEYS))
  if (problems.length > 0) fail()
  if (config?.version !== 1)
    problems.push(`${text.place(['version'])}: version is 1, received ${describe(config?.version)}`)
  const { trust, discovery, routes = [], rules, routesFrom = [], accessLog } = config ?? ({} as GatewayConfig)
  if (accessLog !== undefined && typeof accessLog !== 'boolean') {
    problems.push(`${text.place(['accessLog'])}: accessLog is true or false, received ${describe(accessLog)}`)
  }
  if (trust !== undefined) check(() => assertOneOf('trust', trust, ['edge', 'private', 'internal']))
  check(() => checkDiscovery(discovery))
  check(() => assertList('routes', routes))
  check(() => assertList('routesFrom', routesFrom))
  check(() => assertList('propagateTo', config?.propagateTo ?? []))
  if (problems.length > 0) fail()

  const notes: string[] = []
  const files = routesFrom.map((name, index) => {
    if (typeof name !== 'string') throw placedError(text, ['routesFrom', index], 'is a file name')
    return resolve(folder, name)
  })
  const manifests: (readonly [HttpRoute, ConfigText, number])[] = []
  for (const one of files) {
    check(() => {
      const document = readConfigText(one, readText(one))
      for (const [index, value] of document.values.entries()) {
        for (const object of (value as { kind?: unknown; items?: unknown[] })?.kind === 'List'
          ? ((value as { items?: unknown[] }).items ?? [])
          : [value]) {
          const { kind } = Object(object) as { kind?: unknown }
          if (kind === 'HTTPRoute') manifests.push([object as HttpRoute, document, index])
          else notes.push(`${document.place([], index)}: kind ${describe(kind)} is passed over`)
        }
      }
    })
  }
  const table = {
    header: config.header?.toLowerCase() ?? 'x-mse-tag',
    serviceOf: serviceOfConfig(config),
    random: () => 0,
  }
  // One by one, so that each problem is found; then together.
  for (const [index, route] of routes.entries()) {
    try {
      createRouteTable([route], table)
    } catch (error) {
      if (!(error instanceof LanewayError)) throw error
      problems.push(...placedRoute(error, text, index))
    }
  }
  for (const [route, document, index] of manifests) {
    try {
      createRouteTable([route], table)
    } catch (error) {
      if (!(error instanceof LanewayError)) throw error
      problems.push(...placedManifest(error, document, index))
    }
  }
  check(() =>
    resolveGatewayOptions({
      // The files of TLS are read below, one by one.
      ...optionsOf(config, undefined),
      resolver: { pick() {} } as never,
      routes: [],
    }),
  )
  check(() => {
    for (const [index, { tls }] of (config.listeners ?? []).entries()) {
      if (tls !== undefined) readTls(tls, folder, index)
    }
  })
  check(() => checkRules(rules, config, folder))
  if (problems.length > 0) fail()
  return {
    config,
    folder,
    files: [resolve(file), ...files],
    routes: [...routes, ...manifests.map(([route]) => route)],
    notes,
  }
}

/**
 * The options of `createGateway` that a configuration says as they are.
 *
 * @param folder - where files of TLS are; `undefined` leaves them unread
 */
export function optionsOf(config: GatewayConfig, folder: string | undefined) {
  const { header, proxies, forwarded, hostHeader, privateAnswers, propagateTo, admin, trust, upstream, drain } = config
  const { listeners = [{ port: 8080 }], accessLog = true } = config
  const given = { header, proxies, forwarded, hostHeader, privateAnswers, propagateTo, admin, trust, upstream }
  return {
    ...(Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as Partial<
      Pick<GatewayConfig, keyof typeof given>
    >),
    drain: { delayMs: 5000, ...drain },
    accessLog,
    serviceOf: serviceOfConfig(config),
    listeners: listeners.map(({ tls, ...listener }, index) => ({
      ...listener,
      ...(tls !== undefined && { tls: folder === undefined ? {} : readTls(tls, folder, index) }),
    })),
  }
}

/** In Kubernetes the backends of a route are in the namespace of the route. */
function serviceOfConfig({ discovery }: GatewayConfig): ServiceOf {
  if (discovery.kubernetes === undefined || discovery.kubernetes === false) return serviceOfBackend
  return (backend, route) => {
    const namespace = backend.namespace ?? route.metadata?.namespace
    return namespace === undefined ? backend.name : `${backend.name}.${namespace}`
  }
}

function readTls(
  tls: { cert?: unknown; key?: unknown; ca?: unknown; http2?: boolean },
  folder: string,
  index: number,
): { cert: string; key: string; ca?: string; requestCert?: true; http2?: boolean } {
  const where = `listeners[${index}].tls`
  assertKnownKeys(where, tls, ['cert', 'key', 'ca', 'http2'])
  const read = (key: 'cert' | 'key' | 'ca'): string => {
    const name = tls[key]
    if (typeof name !== 'string') {
      throw new LanewayError('LANEWAY_INVALID_OPTION', `${where}.${key} is a file name, received ${describe(name)}`)
    }
    return readText(resolve(folder, name), `${where}.${key}`)
  }
  return {
    cert: read('cert'),
    key: read('key'),
    ...(tls.ca !== undefined && { ca: read('ca'), requestCert: true as const }),
    ...(tls.http2 !== undefined && { http2: tls.http2 }),
  }
}

function checkDiscovery(discovery: DiscoveryConfig | undefined): void {
  if (discovery === undefined) {
    throw new LanewayError('LANEWAY_INVALID_OPTION', 'discovery is missing: static, file, nacos or kubernetes')
  }
  assertKnownKeys('discovery', discovery, DISCOVERY_KEYS)
  const { static: fixed, file, nacos, kubernetes } = discovery
  if (fixed === undefined && file === undefined && nacos === undefined && (kubernetes ?? false) === false) {
    throw new LanewayError('LANEWAY_INVALID_OPTION', 'discovery names no source: static, file, nacos or kubernetes')
  }
  if (nacos !== undefined) {
    assertKnownKeys('discovery.nacos', nacos, ['servers', 'namespace', 'group', 'username', 'password'])
    if (nacos.servers === undefined) {
      throw new LanewayError('LANEWAY_INVALID_OPTION', 'discovery.nacos.servers is missing')
    }
  }
  if (file !== undefined && typeof file !== 'string') {
    throw new LanewayError('LANEWAY_INVALID_OPTION', `discovery.file is a file name, received ${describe(file)}`)
  }
}

function checkRules(rules: RulesConfig | undefined, config: GatewayConfig, folder: string): void {
  if (rules === undefined) return
  const options = rulesOptionsOf({
    header: config.header ?? 'x-mse-tag',
    proxies: config.proxies === 'all' ? Number.POSITIVE_INFINITY : (config.proxies ?? 0),
  })
  if (Array.isArray(rules)) {
    compileRules({ version: 1, rules } as RulesDocument, options)
    return
  }
  const { file, nacos, weightKey } = rules as { file?: unknown; nacos?: { dataId?: unknown }; weightKey?: never }
  assertKnownKeys('rules', rules, ['file', 'nacos', 'weightKey'])
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
    if (config.discovery.nacos === undefined) {
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

function assertList(name: string, value: unknown): void {
  if (!Array.isArray(value)) {
    throw new LanewayError('LANEWAY_INVALID_OPTION', `${name} is a list, received ${describe(value)}`)
  }
}

function readText(file: string, asked?: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (cause) {
    const why = (cause as Error).message
    throw asked === undefined
      ? new LanewayError('LANEWAY_SOURCE', `${file} cannot be read: ${why}`, { cause })
      : new LanewayError('LANEWAY_INVALID_OPTION', `${asked} cannot be read: ${why}`, { cause })
  }
}

/** The problems of an error, each with its place in the file. */
function placed(error: LanewayError, text: ConfigText): string[] {
  const list = error.cause
  if (error.code === 'LANEWAY_INVALID_RULES' && Array.isArray(list)) {
    return (list as RulesProblem[]).map(problem =>
      problem.line === undefined
        ? `${text.place(pathIn(problem.at))}: ${problem.at} ${problem.message}`
        : // A document of its own; the message says which.
          error.message.slice(error.code.length + 2).split('\n')[list.indexOf(problem)]!,
    )
  }
  if (error.code === 'LANEWAY_SOURCE') return [error.message.slice(error.code.length + 2)]
  const message = error.message.slice(error.code.length + 2).replace(/^createGateway: /, '')
  if (message.startsWith(text.file)) return [message]
  const path = pathIn(message.replace(/^the configuration has/, 'has'))
  return [`${text.place(path[0] === 'has' ? path.slice(1) : path)}: ${message}`]
}

/** A short route is checked as a manifest; what is wrong is said in its own words. */
function placedRoute(error: LanewayError, text: ConfigText, index: number): string[] {
  const list = error.cause
  const problems = Array.isArray(list)
    ? (list as RulesProblem[]).map(({ at, message }) => `${at} ${message}`)
    : [error.message.slice(error.code.length + 2)]
  return problems.map(problem => {
    const message = problem
      .replace(/^(?:routes)?\[0\](?:\.spec\.rules\[0\]\.matches\[0\]|\.spec)?/, `routes[${index}]`)
      .replace(/^(routes\[\d+\]\.path)\.value/, '$1')
      .replace('.queryParams', '.query')
    return `${text.place(pathIn(message))}: ${message}`
  })
}

function placedManifest(error: LanewayError, document: ConfigText, index: number): string[] {
  const list = error.cause
  const problems = Array.isArray(list)
    ? (list as RulesProblem[]).map(({ at, message }) => `${at} ${message}`.trim())
    : [error.message.slice(error.code.length + 2).replace(/^routes/, '')]
  return problems.map(problem => {
    const message = problem.replace(/^\[0\]\.?/, '')
    return `${document.place(pathIn(message), index)}: ${message}`
  })
}

function placedError(text: ConfigText, path: (string | number)[], message: string): LanewayError {
  return new LanewayError('LANEWAY_INVALID_OPTION', `${text.place(path)}: ${path.join('.')} ${message}`)
}
