import { LanewayError } from '@laneway/core'
import { assertKnownKeys, describe } from '@laneway/core/internal'
import { DEFAULT_GROUP } from '../naming/service-info.js'

/** Where a configuration lives. */
export interface ConfigPlace {
  /** @default 'DEFAULT_GROUP' */
  group?: string
  /** @default the client's namespace */
  namespace?: string
  /**
   * The tenant as it is on the wire, instead of a namespace. On Nacos 2.x the Java client from 3.0 keeps the public
   * namespace under `public`, while older clients, the console and this one use `""`: two places there, one on 3.x.
   * @default '' for the namespace `public`, else the namespace
   */
  tenant?: string
}

/** A place as requests name it. */
export interface ConfigKey {
  readonly dataId: string
  readonly group: string
  readonly tenant: string
}

/** @throws LanewayError `LANEWAY_INVALID_OPTION` */
export function resolveConfigKey(
  where: string,
  dataId: string,
  place: ConfigPlace,
  defaultNamespace: string,
): ConfigKey {
  assertKnownKeys(where, place, ['group', 'namespace', 'tenant'])
  if (typeof dataId !== 'string' || dataId.trim() === '') {
    throw new LanewayError('LANEWAY_INVALID_OPTION', `${where}: ${describe(dataId)} is no dataId`)
  }
  const { group = DEFAULT_GROUP, namespace = defaultNamespace, tenant = tenantOf(namespace) } = place
  return { dataId, group: group === '' ? DEFAULT_GROUP : group, tenant }
}

/**
 * The namespace as configuration names it: on 2.x, `public` is another one than `""`, which is what the console calls
 * public; on 3.x and r-nacos they are the same. For naming it is the reverse.
 */
export function tenantOf(namespace: string): string {
  return namespace === 'public' ? '' : namespace
}

export function idOf({ dataId, group, tenant }: ConfigKey): string {
  return `${tenant}@@${group}@@${dataId}`
}
