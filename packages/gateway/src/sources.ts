import { resolve } from 'node:path'
import {
  type ConfigClient,
  type CreatedSources,
  createSources,
  missingPackage,
  type Warn,
} from '@laneway/core/internal'
import { createFileSource, createHttpSource, createStaticSource, type Source } from '@laneway/discovery'
import type { DiscoveryConfig } from './config/config.js'

/** What the gateway uses of the client of `@laneway/nacos`. */
export interface NacosClient extends ConfigClient {
  close(): Promise<void>
}

interface NacosPackage {
  createNacosClient(options: object): NacosClient
  createNacosSource(client: NacosClient, options: object): Source
}

/**
 * Creates the sources of a configuration. Loads `@laneway/nacos` and `@laneway/kubernetes` only when it names them.
 *
 * @param folder - where the file of endpoints is
 * @throws LanewayError `LANEWAY_INVALID_OPTION` when a package is missing, and what the sources throw
 */
export async function sourcesOf(
  { static: services, file, http, nacos, kubernetes = false, namespace }: DiscoveryConfig,
  folder: string,
  warn: Warn,
): Promise<CreatedSources<Source, NacosClient>> {
  const nacosPackage =
    nacos && (await load('@laneway/nacos', 'discovery.nacos', async () => (await import('@laneway/nacos')) as unknown))
  const kubernetesPackage =
    kubernetes === false
      ? undefined
      : await load('@laneway/kubernetes', 'discovery.kubernetes', () => import('@laneway/kubernetes'))
  const { group, ...client } = nacos ?? {}
  return createSources<Source, NacosClient>(
    {
      static: services,
      file: file === undefined ? undefined : resolve(folder, file),
      http: http === undefined ? undefined : { url: http.url, namespace },
      nacos: nacos && { client, source: { group } },
      kubernetes: kubernetes === false ? undefined : kubernetes === true ? {} : kubernetes,
    },
    {
      createStaticSource,
      createFileSource,
      createHttpSource,
      nacos: () => nacosPackage as NacosPackage,
      kubernetes: () => kubernetesPackage!,
    },
    warn,
  )
}

/** @param wanted - the option that asked for it */
async function load<T>(name: string, wanted: string, load: () => Promise<T>): Promise<T> {
  try {
    return await load()
  } catch (error) {
    throw missingPackage(name, wanted, error) ?? error
  }
}
