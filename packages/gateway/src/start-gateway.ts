import { emitLanewayWarning, FileFollower, oncePerKey, type Warn } from '@laneway/core/internal'
import { createLaneResolver } from '@laneway/discovery'
import type { Rule } from '@laneway/rules'
import type { GatewayConfig, LoadedConfig } from './config/config.js'
import { optionsOf } from './config/config-options.js'
import { loadConfig } from './config/load-config.js'
import { createGateway, type Gateway } from './create-gateway.js'
import { followRules, textOf } from './follow-rules.js'
import type { GatewayOptions } from './gateway-options.js'
import type { LogDestination } from './observe/access-log.js'
import { sourcesOf } from './sources.js'

/** Options of {@link startGateway}. */
export interface StartGatewayOptions {
  /** Where the access log goes. @default process.stdout */
  readonly accessLog?: LogDestination
  /** Called when something was refused or needs a restart. @default a process warning */
  readonly warn?: Warn
  /** Called when routes or rules were taken. @default none */
  readonly notice?: (message: string) => void
}

/** A gateway that follows its configuration. */
export interface StartedGateway {
  readonly gateway: Gateway
  /** Reads the configuration now. @returns whether it is in use */
  reload(): boolean
  close(): Promise<void>
}

/**
 * Runs a gateway from a configuration file. It takes new routes and rules when their files change.
 *
 * @throws LanewayError `LANEWAY_INVALID_OPTION`, `LANEWAY_INVALID_RULES`, `LANEWAY_SOURCE`
 */
export async function startGateway(file: string, options: StartGatewayOptions = {}): Promise<StartedGateway> {
  const { warn = emitLanewayWarning, notice = () => {} } = options
  let loaded = loadConfig(file)
  for (const note of loaded.notes) warn(note)
  const { config, folder } = loaded
  const { sources, nacos } = await sourcesOf(config.discovery, folder, warn)
  const { static: _1, file: _2, http: _3, nacos: _4, kubernetes: _5, ...resolverOptions } = config.discovery
  // The first load is no reload, so it is not counted.
  let count = (_taken: boolean): void => {}
  const followed = followRules(loaded, nacos, { warn, notice, reloaded: taken => count(taken) })
  const resolver = createLaneResolver({
    sources,
    ...resolverOptions,
    warn,
    // A gateway is nothing without lanes.
    env: { ...process.env, LANEWAY_DISABLE: undefined },
  })
  const { accessLog, ...rest } = optionsOf(config, folder)
  const destination = options.accessLog ?? process.stdout
  const gateway = await createGateway({
    ...(rest as Omit<GatewayOptions, 'resolver' | 'routes' | 'accessLog'>),
    accessLog: accessLog ? destination : false,
    onUpstreamError: warnOncePerKind(warn),
    resolver,
    routes: loaded.routes,
    ...(followed.rules !== undefined && { rules: followed.rules }),
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
      // The gateway has counted what it refused itself.
      if (next === undefined) gateway.countReload('config', false)
      warn(`the configuration is refused, the last good one stays:\n${textOf(error)}`)
      return false
    }
    const fixed = changedAtStart(loaded.config, next.config)
    if (fixed.length > 0) warn(`${fixed.join(', ')} of ${file} take effect after a restart`)
    loaded = next
    files.follow(next.files)
    notice(`${file}: ${next.routes.length} routes taken`)
    return true
  }

  const files = new FileFollower(loaded.files, () => void reload())
  const close = async (): Promise<void> => {
    files.close()
    followed.close()
    await gateway.close()
    // The resolver has closed the source, which does not own the connection.
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

/** Top-level keys that differ, and are read at the start only. */
function changedAtStart(before: GatewayConfig, after: GatewayConfig): string[] {
  const keys = new Set([...Object.keys(before), ...Object.keys(after)])
  for (const key of ['routes', 'routesFrom', '$schema']) keys.delete(key)
  if (Array.isArray(before.rules) && Array.isArray(after.rules)) keys.delete('rules')
  return [...keys].filter(key => JSON.stringify(before[key as never]) !== JSON.stringify(after[key as never]))
}

/** Warns once per service and kind of error: a service that is down fails many requests. */
function warnOncePerKind(warn: Warn): (error: unknown, service: string) => void {
  const isFirst = oncePerKey(1000)
  return (error, service) => {
    const { code, message } = Object(error) as { code?: unknown; message?: unknown }
    if (isFirst(`${service} ${String(code)}`)) warn(`${service}: ${String(message)}`)
  }
}
