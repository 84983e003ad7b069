import { assertOneOf, describe } from '@laneway/core'
import { type GatewayOptions, LISTENER_KEYS, resolveGatewayOptions, UPSTREAM_KEYS } from '../options.js'
import type { GatewayConfig } from './config.js'
import { readTls } from './config-options.js'
import type { ConfigProblems } from './config-problems.js'

/** Options that are one value. */
const SINGLE = ['header', 'proxies', 'forwarded', 'hostHeader', 'privateAnswers'] as const
/** Options that are objects of values which have nothing to do with each other. */
const PARTS: readonly (readonly ['admin' | 'upstream' | 'drain', readonly string[]])[] = [
  ['admin', ['port', 'host']],
  ['upstream', UPSTREAM_KEYS.filter(key => key !== 'tls')],
  ['drain', ['delayMs', 'timeoutMs']],
]

/**
 * Checks the options of a configuration value by value: the check of the program's options ends at the first that is
 * wrong.
 *
 * @param folder - where files of TLS are; they are read
 */
export function checkOptions(config: GatewayConfig, folder: string, problems: ConfigProblems): void {
  const { trust, accessLog, propagateTo } = config
  if (accessLog !== undefined && typeof accessLog !== 'boolean') {
    problems.add(['accessLog'], `accessLog is true or false, received ${describe(accessLog)}`)
  }
  if (trust !== undefined) problems.check(() => assertOneOf('trust', trust, ['edge', 'private', 'internal']))
  if (propagateTo !== undefined && !Array.isArray(propagateTo)) {
    problems.add(['propagateTo'], `propagateTo is a list, received ${describe(propagateTo)}`)
  }
  const one = (options: object) => {
    problems.check(() => resolveGatewayOptions({ resolver: { pick() {} }, routes: [], ...options } as never))
  }
  for (const key of SINGLE) if (config[key] !== undefined) one({ [key]: config[key] })
  for (const [name, keys] of PARTS) {
    const part = config[name] as object | undefined
    if (part === undefined || !problems.keys(name, part, keys)) continue
    for (const [key, value] of Object.entries(part)) if (keys.includes(key)) one({ [name]: { [key]: value } })
  }
  checkListeners(config, folder, problems, one)
}

function checkListeners(
  { listeners }: GatewayConfig,
  folder: string,
  problems: ConfigProblems,
  one: (options: object) => void,
): void {
  if (listeners === undefined) return
  if (!Array.isArray(listeners) || listeners.length === 0) {
    one({ listeners })
    return
  }
  for (const [index, listener] of (listeners as NonNullable<GatewayConfig['listeners']>).entries()) {
    if (!problems.keys(`listeners[${index}]`, listener, LISTENER_KEYS)) continue
    // In its place, because messages name the place.
    const check = (part: object) =>
      one({
        listeners: (listeners as object[]).map((_, at) => (at === index ? part : {})) as GatewayOptions['listeners'],
      })
    const { protocol, tls, ...rest } = listener
    for (const [key, value] of Object.entries(rest)) if (LISTENER_KEYS.includes(key as 'port')) check({ [key]: value })
    check({ ...(protocol !== undefined && { protocol }), ...(tls !== undefined && { tls: {} }) })
    if (tls === undefined) continue
    if (!problems.keys(`listeners[${index}].tls`, tls, ['cert', 'key', 'ca', 'http2'])) continue
    for (const key of ['cert', 'key', 'ca'] as const) {
      if (key !== 'ca' || tls.ca !== undefined)
        problems.check(() => void readTls({ [key]: tls[key] }, folder, index, [key]))
    }
  }
}
