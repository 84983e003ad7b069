import type { Warn } from '../warning.js'

/** Which sources of endpoints a configuration names. `undefined` and absent are the same. */
export interface SourcesConfig {
  /** Endpoints by service, for `createStaticSource`. */
  readonly static?: object | undefined
  /** A file of endpoints, for `createFileSource`. */
  readonly file?: string | undefined
  /** An endpoints server, for `createHttpSource`. */
  readonly http?: { readonly url: string; readonly namespace?: string | undefined } | undefined
  /** Options of the Nacos client and of its source. */
  readonly nacos?: { readonly client: object; readonly source: object } | undefined
  /** Options of `createKubernetesSource`. */
  readonly kubernetes?: object | undefined
}

/**
 * What creates the sources. Packages that only some configurations need come as functions, which are called for those
 * configurations only. The types are structural, because this package knows no source.
 */
export interface SourceFactories<Source, NacosClient> {
  createStaticSource?(services: any): Source
  createFileSource(file: string, options: { readonly warn: Warn }): Source
  createHttpSource?(url: string, options: any): Source
  nacos(): {
    createNacosClient(options: any): NacosClient
    createNacosSource(client: NacosClient, options: any): Source
  }
  kubernetes(): { createKubernetesSource(options: any): Source }
}

/** What is used of the configurations of `@laneway/nacos`, whose types differ between its two builds. */
export interface ConfigClient {
  readonly config: {
    listen(
      dataId: string,
      place: { group?: string },
      listener: { value(value: { readonly content: string } | undefined): void; lost(error: Error): void },
    ): () => void
  }
}

/** Sources in their order: of several, the first that lists a service owns it. */
export interface CreatedSources<Source, NacosClient> {
  readonly sources: Source[]
  /** For what else needs the connection: its configuration, or a registration. The caller closes it. */
  readonly nacos: NacosClient | undefined
}

/**
 * Creates the sources that a configuration names: the only place that knows their order and their common options.
 *
 * @throws LanewayError what the packages throw for their options
 */
export function createSources<Source, NacosClient>(
  config: SourcesConfig,
  factories: SourceFactories<Source, NacosClient>,
  warn: Warn,
): CreatedSources<Source, NacosClient> {
  const sources: Source[] = []
  let client: NacosClient | undefined
  const { static: services, file, http, nacos, kubernetes } = config
  if (services !== undefined && factories.createStaticSource !== undefined) {
    sources.push(factories.createStaticSource(services))
  }
  if (file !== undefined) sources.push(factories.createFileSource(file, { warn }))
  if (http !== undefined && factories.createHttpSource !== undefined) {
    const { url, ...options } = http
    sources.push(factories.createHttpSource(url, given(options)))
  }
  if (nacos !== undefined) {
    const { createNacosClient, createNacosSource } = factories.nacos()
    client = createNacosClient({ ...given(nacos.client), warn })
    sources.push(createNacosSource(client, { ...given(nacos.source), warn }))
  }
  if (kubernetes !== undefined) {
    sources.push(factories.kubernetes().createKubernetesSource({ warn, ...given(kubernetes) }))
  }
  return { sources, nacos: client }
}

/** Without the options that are `undefined`: the packages tell a missing option from an undefined one. */
function given(options: object): object {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined))
}
