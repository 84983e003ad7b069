import { resolve } from 'node:path'
import { LanewayError } from '@laneway/core'
import { emitLanewayWarning, FileFollower, type Warn } from '@laneway/core/internal'
import { createFileSource, createLaneResolver, createStaticSource, type Source } from '@laneway/discovery'
import { createRulesHolder, type Rule, watchRules } from '@laneway/rules'
import type { GatewayConfig, LoadedConfig } from './config/config.js'
import { optionsOf } from './config/config-options.js'
import { loadConfig } from './config/load-config.js'
import { createGateway, type Gateway } from './create-gateway.js'
import type { GatewayOptions } from './gateway-options.js'
import type { LogDestination } from './observe/access-log.js'
import { loadOnDemand } from './on-demand.js'
import type { Rules } from './route/routing.js'
import { rulesOptionsOf } from './route/rules-options.js'

/** Options of {@link startGateway}. */
export interface StartGatewayOptions {
  /** Where the access log goes. @default process.stdout */
  readonly accessLog?: LogDestination
  /** Told what was loaded, refused, and needs a restart. @default a process warning */
  readonly warn?: Warn
  readonly notice?: (message: string) => void
}

/** A gateway that follows its configuration. */
export interface StartedGateway {
  readonly gateway: Gateway
  /** Reads the configuration now. @returns whether it is in use */
  reload(): boolean
  close(): Promise<void>
}

/** What is used of `@laneway/nacos`, whose types differ between its two builds. */
interface NacosPackage {
  createNacosClient(options: NonNullable<GatewayConfig['discovery']['nacos']> & { warn: Warn }): NacosClient
  createNacosSource(client: NacosClient, options: { group?: string }): Source
}

interface NacosClient {
  readonly config: {
    listen(
      dataId: string,
      place: { group?: string },
      listener: { value(value: { readonly content: string } | undefined): void; lost(error: LanewayError): void },
    ): () => void
  }
  close(): Promise<void>
}

/**
 * Runs a gateway from a configuration file, and takes new routes and rules when their files change.
 *
 * @throws LanewayError `LANEWAY_INVALID_OPTION`, `LANEWAY_INVALID_RULES`, `LANEWAY_SOURCE`
 */
export async function startGateway(file: string, options: StartGatewayOptions = {}): Promise<StartedGateway> {
  const { warn = emitLanewayWarning, notice = () => {} } = options
  let loaded = loadConfig(file)
  for (const note of loaded.notes) warn(note)
  const { config, folder } = loaded
  const { sources, nacos } = await createSources(config, folder, warn)
  const { static: _1, file: _2, nacos: _3, kubernetes: _4, ...resolverOptions } = config.discovery
  const followed: (() => void)[] = []
  // Counted from the start on: what is loaded before is no reload.
  let count = (_taken: boolean): void => {}
  const rules = createRules(loaded, nacos, followed, warn, notice, taken => count(taken))
  const resolver = createLaneResolver({ sources, ...resolverOptions, warn })
  const { accessLog, ...rest } = optionsOf(config, folder)
  const destination = options.accessLog ?? process.stdout
  const gateway = await createGateway({
    ...(rest as Omit<GatewayOptions, 'resolver' | 'routes' | 'accessLog'>),
    accessLog: accessLog ? destination : false,
    onUpstreamError: reportOnce(warn),
    resolver,
    routes: loaded.routes,
    ...(rules !== undefined && { rules }),
  })

  count = taken => gateway.countReload('rules', taken)

  function reload(): boolean {
    let next: LoadedConfig | undefined
    try {
      next = loadConfig(file)
      const inline = Array.isArray(next.config.rules) ? (next.config.rules as readonly Rule[]) : undefined
      gateway.update({
        routes: next.routes,
        ...(inline !== undefined && Array.isArray(loaded.config.rules) && { rules: { version: 1, rules: inline } }),
      })
    } catch (error) {
      // What the gateway refused it has counted.
      if (next === undefined) gateway.countReload('config', false)
      warn(`the configuration is refused, the last good one stays:\n${messageOf(error)}`)
      return false
    }
    const fixed = changedAtStart(loaded.config, next.config)
    if (fixed.length > 0) warn(`${fixed.join(', ')} of ${file} take effect at the next start`)
    loaded = next
    files.follow(next.files)
    notice(`${file}: ${next.routes.length} routes taken`)
    return true
  }

  const files = new FileFollower(loaded.files, () => void reload())
  const close = async (): Promise<void> => {
    files.close()
    for (const stop of followed) stop()
    await gateway.close()
    // Its source was closed with the resolver; the connection is this one's.
    await nacos?.close()
  }
  try {
    await gateway.listen()
  } catch (error) {
    await close()
    throw error
  }
  return { gateway, reload, close }
}

async function createSources(
  { discovery }: GatewayConfig,
  folder: string,
  warn: Warn,
): Promise<{ sources: Source[]; nacos: NacosClient | undefined }> {
  const sources: Source[] = []
  let client: NacosClient | undefined
  if (discovery.static !== undefined) sources.push(createStaticSource(discovery.static))
  if (discovery.file !== undefined) sources.push(createFileSource(resolve(folder, discovery.file), { warn }))
  if (discovery.nacos !== undefined) {
    const nacos = await loadOnDemand(
      '@laneway/nacos',
      'discovery.nacos',
      async () => (await import('@laneway/nacos')) as unknown as NacosPackage,
    )
    const { group, ...place } = discovery.nacos
    client = nacos.createNacosClient({ ...place, warn })
    sources.push(nacos.createNacosSource(client, group === undefined ? {} : { group }))
  }
  const { kubernetes = false } = discovery
  if (kubernetes !== false) {
    const { createKubernetesSource } = await loadOnDemand(
      '@laneway/kubernetes',
      'discovery.kubernetes',
      () => import('@laneway/kubernetes'),
    )
    sources.push(createKubernetesSource({ warn, ...(kubernetes === true ? {} : kubernetes) }))
  }
  return { sources, nacos: client }
}

function createRules(
  { config, folder }: LoadedConfig,
  nacos: NacosClient | undefined,
  followed: (() => void)[],
  warn: Warn,
  notice: (message: string) => void,
  count: (taken: boolean) => void,
): GatewayOptions['rules'] {
  const { rules } = config
  if (rules === undefined) return undefined
  if (Array.isArray(rules)) return { version: 1, rules: rules as readonly Rule[] }
  const given = rules as Exclude<typeof rules, readonly Rule[]>
  const shared = {
    ...rulesOptionsOf(config),
    ...(given.weightKey !== undefined && { weightKey: given.weightKey }),
    onProblem: (error: LanewayError) => {
      count(false)
      warn(`colouring rules are refused, the last good ones stay:\n${messageOf(error)}`)
    },
    onReload: (taken: { readonly size: number }) => {
      count(true)
      notice(`${taken.size} colouring rules taken`)
    },
  }
  if ('file' in given) {
    const watch = watchRules(resolve(folder, given.file), shared)
    followed.push(watch.close)
    return watch as Rules
  }
  const { dataId, group } = given.nacos
  const holder = createRulesHolder({ source: dataId, ...shared })
  if (nacos === undefined) throw new LanewayError('LANEWAY_INVALID_OPTION', 'rules.nacos needs discovery.nacos')
  const stop = nacos.config.listen(dataId, group === undefined ? {} : { group }, {
    value: value => {
      // Deleted is not empty: what colours stays until something else is said.
      if (value === undefined) warn(`there is no configuration ${dataId} in Nacos; the last good rules stay`)
      else holder.replace(value.content)
    },
    lost: error => warn(messageOf(error)),
  })
  followed.push(stop)
  return holder as Rules
}

/** Top-level keys that differ and are read at the start only. */
function changedAtStart(before: GatewayConfig, after: GatewayConfig): string[] {
  const keys = new Set([...Object.keys(before), ...Object.keys(after)])
  for (const key of ['routes', 'routesFrom', '$schema']) keys.delete(key)
  if (Array.isArray(before.rules) && Array.isArray(after.rules)) keys.delete('rules')
  return [...keys].filter(key => JSON.stringify(before[key as never]) !== JSON.stringify(after[key as never]))
}

/** One warning per service and kind of error: a service that is down has many requests. */
function reportOnce(warn: Warn): (error: unknown, service: string) => void {
  const said = new Set<string>()
  return (error, service) => {
    const { code, message } = Object(error) as { code?: unknown; message?: unknown }
    const key = `${service} ${String(code)}`
    if (said.has(key) || said.size >= 1000) return
    said.add(key)
    warn(`${service}: ${String(message)}`)
  }
}

function messageOf(error: unknown): string {
  if (error instanceof LanewayError) return error.message.slice(error.code.length + 2)
  return error instanceof Error ? error.message : String(error)
}
