import type { NacosClient } from './client.js'
import { type FollowConfigOptions, type FollowedConfig, followConfig } from './follow-config.js'

/** Options of {@link nacosRules}. */
export interface NacosRulesOptions<T> extends Omit<FollowConfigOptions<T>, 'parse'> {
  /** Turns the parsed JSON into the value; throws when it cannot be used. @default any JSON is used as it is */
  parse?: (json: unknown) => T
}

/** A JSON configuration that is kept up to date. */
export type NacosRules<T> = FollowedConfig<T>

/**
 * As {@link followConfig}, for a configuration that holds JSON. Broken JSON is reported and changes nothing.
 *
 * @throws LanewayError `LANEWAY_INVALID_OPTION`
 */
export function nacosRules<T = unknown>(
  client: NacosClient,
  dataId: string,
  options: NacosRulesOptions<T> = {},
): NacosRules<T> {
  const { parse = json => json as T, ...rest } = options
  // What is no function is refused by followConfig, as every other option.
  const read = typeof parse === 'function' ? (content: string) => parse(JSON.parse(content) as unknown) : parse
  return followConfig(client, dataId, { ...rest, parse: read })
}
