import { BASE_TAG, type Lane, ownLane } from '@laneway/core'
import { assertLane, describe, type Option } from '@laneway/core/internal'

/** Before the name of a label of the program, on the connection. */
const PREFIX = 'app_'
/** The label that Nacos' own gray configuration by tag compares (2.4 and later). */
const TAG_LABEL = 'Vipserver-Tag'
/** The label that MSE Nacos compares, a property of the Java client. */
const GRAY_LABEL = 'nacos.config.gray.label'
/** As the Java client, which leaves out what is not valid. */
const VALID = /^[\p{L}\p{Nd}_.-]{1,128}$/u

/** Reads the option `labels`. */
export const readLabels: Option<Readonly<Record<string, string>>> = (value, place) => {
  if (value === undefined) return {}
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw place.unexpected('an object of names and values', value)
  for (const [name, label] of Object.entries(value)) {
    if (VALID.test(name) && typeof label === 'string' && VALID.test(label)) continue
    throw place.invalid(
      `has ${name}: ${describe(label)}; a label has a name and a value of at most 128 letters, digits, "_", "-" and "."`,
    )
  }
  return { ...(value as Record<string, string>) }
}

/**
 * The labels of a connection, by which Nacos chooses gray configuration. Of the same name, those of the option win over those
 * of the environment, which have the names of the Java client, and these over the lane.
 *
 * @param lane - `undefined` for the lane of the process
 * @throws LanewayError `LANEWAY_INVALID_TAG`
 */
export function appLabels(
  lane: Lane | string | undefined,
  labels: Readonly<Record<string, string>>,
  env: NodeJS.ProcessEnv,
): Readonly<Record<string, string>> {
  const tag = tagOf(lane)
  const named = (env['nacos_app_conn_labels'] ?? '').split(',').map(label => label.split('='))
  const all = [
    ...(tag === undefined ? [] : [TAG_LABEL, GRAY_LABEL].map(name => [name, tag])),
    ...[...named, [GRAY_LABEL, env['nacos_config_gray_label'] ?? '']].filter(isLabel),
    ...Object.entries(labels),
  ]
  return Object.fromEntries(all.map(([name, value]) => [PREFIX + name!.trim(), value!.trim()]))
}

function isLabel(parts: readonly string[]): boolean {
  return parts.length === 2 && parts.every(part => VALID.test(part.trim()))
}

function tagOf(lane: Lane | string | undefined): string | undefined {
  if (lane === '' || lane === BASE_TAG) return undefined
  const own = typeof lane === 'string' ? assertLane('createNacosClient: lane', lane) : (lane ?? ownLane())
  return own?.tags.find(tag => tag !== BASE_TAG)
}
