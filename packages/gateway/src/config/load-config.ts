import { dirname, resolve } from 'node:path'
import { LanewayError } from '@laneway/core'
import { describe } from '@laneway/core/internal'
import { checkDiscovery, checkRules } from './check-config.js'
import { checkOptions } from './check-options.js'
import { readRoutes } from './check-routes.js'
import type { GatewayConfig, LoadedConfig } from './config.js'
import { ConfigProblems } from './config-problems.js'
import { readConfigText } from './config-text.js'
import { readText } from './read-text.js'

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
  'client',
  'upstream',
  'propagateTo',
  'trace',
  'discovery',
  'rules',
  'routes',
  'routesFrom',
  'accessLog',
  'drain',
]

/**
 * Reads a configuration with all files that it names, and checks it, without connecting to anything.
 *
 * @throws LanewayError `LANEWAY_INVALID_OPTION` with every problem that was found, each as `file:line:column: what`;
 *   `LANEWAY_SOURCE` when a file cannot be read
 */
export function loadConfig(file: string): LoadedConfig {
  const folder = dirname(resolve(file))
  const text = readConfigText(file, readText(file))
  if (text.errors.length > 0) throw new LanewayError('LANEWAY_INVALID_OPTION', text.errors.join('\n'))
  const problems = new ConfigProblems(text)
  if (text.values.length > 1) {
    problems.addLines([`${text.place([], 1)}: a configuration is one document; what follows --- would not be read`])
  }
  const config = (text.values[0] ?? {}) as GatewayConfig
  if (!problems.keys([], config, KEYS, 'the configuration')) problems.throwIfAny()
  if (config.version !== 1) problems.add(['version'], `is 1, received ${describe(config.version)}`)
  checkDiscovery(config.discovery, problems)
  checkOptions(config, folder, problems)
  const { routes, files, notes } = readRoutes(config, folder, problems)
  checkRules(config, folder, problems)
  problems.throwIfAny()
  return { config, folder, files: [resolve(file), ...files], routes, notes }
}
