import { resolve } from 'node:path'
import { assertKnownKeys, describe, LanewayError } from '@laneway/core'
import { compileRules, parseRules, type RulesDocument } from '@laneway/rules'
import type { DiscoveryConfig, GatewayConfig, RulesConfig } from './config.js'
import { rulesOptionsOf } from './create-gateway.js'
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

/** @throws LanewayError `LANEWAY_INVALID_OPTION` */
export function checkDiscovery(discovery: DiscoveryConfig | undefined): void {
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

/** @throws LanewayError `LANEWAY_INVALID_OPTION`, `LANEWAY_INVALID_RULES` */
export function checkRules(rules: RulesConfig | undefined, config: GatewayConfig, folder: string): void {
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

/** @throws LanewayError `LANEWAY_INVALID_OPTION` */
export function assertList(name: string, value: unknown): void {
  if (!Array.isArray(value)) {
    throw new LanewayError('LANEWAY_INVALID_OPTION', `${name} is a list, received ${describe(value)}`)
  }
}
