import { resolve } from 'node:path'
import { LanewayError } from '@laneway/core'
import type { Warn } from '@laneway/core/internal'
import { createRulesHolder, type Rule, type RulesInput, watchRules } from '@laneway/rules'
import type { LoadedConfig } from './config/config.js'
import type { Rules } from './route/routing.js'
import { rulesOptionsOf } from './route/rules-options.js'
import type { NacosClient } from './sources.js'

/** What is reported about rules that change. */
export interface RulesReports {
  readonly warn: Warn
  readonly notice: (message: string) => void
  /** A document was taken, or refused. */
  readonly reloaded: (taken: boolean) => void
}

/** The rules of a configuration. */
export interface FollowedRules {
  /** For `createGateway`; `undefined` where the configuration has none. */
  readonly rules: RulesInput | Rules | undefined
  /** Stops following them. */
  close(): void
}

/**
 * Creates the rules of a configuration: those in the configuration itself, in a file that is followed, or in a Nacos
 * configuration that is followed.
 *
 * @throws LanewayError `LANEWAY_INVALID_RULES`, `LANEWAY_SOURCE`, `LANEWAY_INVALID_OPTION`
 */
export function followRules(
  { config, folder }: LoadedConfig,
  nacos: NacosClient | undefined,
  { warn, notice, reloaded }: RulesReports,
): FollowedRules {
  const { rules } = config
  if (rules === undefined) return { rules: undefined, close() {} }
  if (Array.isArray(rules)) return { rules: { version: 1, rules: rules as readonly Rule[] }, close() {} }
  const given = rules as Exclude<typeof rules, readonly Rule[]>
  const options = {
    ...rulesOptionsOf(config),
    ...(given.weightKey !== undefined && { weightKey: given.weightKey }),
    onProblem: (error: LanewayError) => {
      reloaded(false)
      warn(`colouring rules are refused, the last good ones stay:\n${textOf(error)}`)
    },
    onReload: (taken: { readonly size: number }) => {
      reloaded(true)
      notice(`${taken.size} colouring rules taken`)
    },
  }
  if ('file' in given) {
    const watch = watchRules(resolve(folder, given.file), options)
    return { rules: watch as Rules, close: watch.close }
  }
  if (nacos === undefined) throw new LanewayError('LANEWAY_INVALID_OPTION', 'rules.nacos needs discovery.nacos')
  const { dataId, group } = given.nacos
  const holder = createRulesHolder({ source: dataId, ...options })
  const close = nacos.config.listen(dataId, group === undefined ? {} : { group }, {
    value: value => {
      // A deleted configuration is no empty one, so the rules stay.
      if (value === undefined) warn(`there is no configuration ${dataId} in Nacos; the last good rules stay`)
      else holder.replace(value.content)
    },
    lost: error => warn(textOf(error)),
  })
  return { rules: holder as Rules, close }
}

/** What an error says, without the code of ours. */
export function textOf(error: unknown): string {
  const { text, message } = Object(error) as { text?: unknown; message?: unknown }
  return String(text ?? message ?? error)
}
