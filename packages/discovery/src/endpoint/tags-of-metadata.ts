import { BASE_TAG } from '@laneway/core'
import { POD_LABEL } from '@laneway/core/internal'

const CANARY = 'opensergo.io/canary-'
const MICRO_SERVICE_ENV = '__micro.service.env__'

/**
 * Collects the lane tags of an instance from its registry metadata or pod labels, as a set: `opensergo.io/canary-<tag>`,
 * `__micro.service.env__`, `alicloud.service.tag`, then the names the user lists. `base` and the empty string say base,
 * and so does the absence of all keys.
 *
 * A value that names no lane clearly (a canary key whose value differs, broken JSON) comes back as a string outside the
 * tag grammar, so that `parseEndpoint` refuses the instance rather than taking it for base. Never throws.
 *
 * @param extraNames - further keys whose value is a tag. `version` is not read unless it is listed: `version: 1.2.3` is
 * ordinary metadata and would leave a service without base
 * @see https://openkruise.io/rollouts/user-manuals/strategy-end2end-canary-update
 */
export function tagsOfMetadata(
  metadata: Readonly<Record<string, string>> | null | undefined,
  extraNames: readonly string[] = [],
): string[] {
  if (typeof metadata !== 'object' || metadata === null) return []
  const tags = new Set<string>()
  for (const key of Object.keys(metadata)) if (key.startsWith(CANARY)) addCanary(tags, key, metadata[key])
  if (Object.hasOwn(metadata, MICRO_SERVICE_ENV)) addMicroServiceEnv(tags, metadata[MICRO_SERVICE_ENV])
  for (const name of [POD_LABEL, ...extraNames]) if (Object.hasOwn(metadata, name)) add(tags, metadata[name])
  return [...tags]
}

function add(tags: Set<string>, value: unknown): void {
  if (typeof value !== 'string') return
  const tag = value.trim()
  if (tag !== '' && tag !== BASE_TAG) tags.add(tag)
}

function addCanary(tags: Set<string>, key: string, value: unknown): void {
  const named = key.slice(CANARY.length)
  const tag = typeof value === 'string' ? value.trim() : ''
  // Routers look the key up by its tag and compare the value, so an unequal pair is in no lane, and not base either.
  add(tags, tag === named || tag === '' ? tag : `${named}=${tag}`)
}

function addMicroServiceEnv(tags: Set<string>, value: unknown): void {
  if (typeof value !== 'string' || value.trim() === '') return
  let members: unknown
  try {
    members = JSON.parse(value)
  } catch {
    members = undefined
  }
  if (!Array.isArray(members)) {
    tags.add(`${MICRO_SERVICE_ENV}=?`)
    return
  }
  for (const member of members as readonly unknown[]) {
    if (typeof member === 'object' && member !== null) add(tags, (member as { tag?: unknown }).tag)
  }
}
