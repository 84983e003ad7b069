import { describe, flag, OptionPlace, oneOf, readOptions } from '@laneway/core/internal'
import { LISTENER_KEYS, OPTION_GROUPS, readListener, SINGLE_OPTIONS } from '../resolve-options.js'
import type { GatewayConfig } from './config.js'
import { readTls, TLS_KEYS } from './config-options.js'
import type { ConfigProblems } from './config-problems.js'

const ROOT = new OptionPlace('')

/** Options that are one value. */
const SINGLE = {
  ...SINGLE_OPTIONS,
  trust: oneOf(['edge', 'private', 'internal'], 'edge'),
  accessLog: flag(true),
}

/**
 * Checks the options of a configuration, each by itself, so that all problems are found.
 *
 * @param folder - where the files of TLS are; they are read
 */
export function checkOptions(config: GatewayConfig, folder: string, problems: ConfigProblems): void {
  const single = Object.entries(config).filter(([key]) => Object.hasOwn(SINGLE, key))
  readOptions(ROOT, Object.fromEntries(single), SINGLE, problems.report)
  for (const [name, table] of Object.entries(OPTION_GROUPS)) {
    const group = config[name as keyof typeof OPTION_GROUPS] as object | undefined
    // TLS to upstreams is the program's.
    const { tls: _, ...readable } = table as typeof OPTION_GROUPS.upstream
    if (group !== undefined) readOptions(ROOT.at(name), group, readable, problems.report)
  }
  checkListeners(config, folder, problems)
}

function checkListeners({ listeners }: GatewayConfig, folder: string, problems: ConfigProblems): void {
  if (listeners === undefined) return
  if (!Array.isArray(listeners) || listeners.length === 0) {
    problems.add(['listeners'], `is a list of at least one, received ${describe(listeners)}`)
    return
  }
  for (const [index, listener] of (listeners as NonNullable<GatewayConfig['listeners']>).entries()) {
    const place = ROOT.at('listeners', index)
    if (!problems.keys(place.path, listener, LISTENER_KEYS)) continue
    const { protocol, tls, ...rest } = listener
    const check = (part: object) => problems.check(() => void readListener(part, place))
    for (const [key, value] of Object.entries(rest)) if (LISTENER_KEYS.includes(key)) check({ [key]: value })
    check({ ...(protocol !== undefined && { protocol }), ...(tls !== undefined && { tls: {} }) })
    if (tls === undefined || !problems.keys([...place.path, 'tls'], tls, TLS_KEYS)) continue
    for (const key of ['cert', 'key', 'ca'] as const) {
      if (key !== 'ca' || tls.ca !== undefined)
        problems.check(() => void readTls({ [key]: tls[key] }, folder, index, [key]))
    }
  }
}
