import type { Warn } from '@laneway/core'
import { createDiscovery, type Discovery, type RegisterConfig, readConfig } from '@laneway/register/settings'
import type { CommandWorld } from '../terminal/world.js'

/** Registries that a command line names. */
export interface SourceOptions {
  readonly nacos?: string
  readonly namespace?: string
  readonly group?: string
  readonly kubernetes?: boolean
  readonly file?: string
}

/**
 * The settings as a process under `@laneway/register` would read them in this folder; a registry on the command line
 * takes the place of those in the settings.
 *
 * @throws LanewayError `LANEWAY_INVALID_OPTION`
 */
export function readSettings({ env, folder }: CommandWorld, options: SourceOptions = {}): RegisterConfig {
  const { nacos, namespace, group, kubernetes, file } = options
  const named = nacos !== undefined || kubernetes === true || file !== undefined
  const config = readConfig(
    {
      ...env,
      ...(nacos !== undefined && { LANEWAY_NACOS: nacos }),
      ...(kubernetes === true && { LANEWAY_KUBERNETES: '1' }),
      ...(file !== undefined && { LANEWAY_ENDPOINTS_FILE: file }),
      ...(namespace !== undefined && {
        [kubernetes ? 'LANEWAY_KUBERNETES_NAMESPACE' : 'LANEWAY_NACOS_NAMESPACE']: namespace,
      }),
      ...(group !== undefined && { LANEWAY_NACOS_GROUP: group }),
    },
    folder,
  )
  if (!named) return config
  const { endpointsFile, endpointsUrl, ...rest } = config
  return {
    ...rest,
    nacos: nacos === undefined ? [] : config.nacos,
    kubernetes: kubernetes === true,
    ...(file !== undefined && { endpointsFile: file }),
  } as RegisterConfig
}

/** Whether anything is configured to discover from. */
export function hasRegistry({ nacos, kubernetes, endpointsFile, endpointsUrl }: RegisterConfig): boolean {
  return nacos.length > 0 || kubernetes || endpointsFile !== undefined || endpointsUrl !== undefined
}

/** People watch: a service that is new shows soon. It is one reader, not a fleet. */
const LIST_INTERVAL_MS = 2000

/**
 * Opens the registries of the settings; registers nothing.
 *
 * @throws LanewayError `LANEWAY_INVALID_OPTION` when a package is missing, and what the sources throw
 */
export function openRegistries(config: RegisterConfig, warn: Warn): Discovery {
  return createDiscovery(config, true, warn, LIST_INTERVAL_MS)
}
