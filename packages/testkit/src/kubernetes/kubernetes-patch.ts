import { isDeepStrictEqual } from 'node:util'
import type { StoredObject } from './kubernetes-store.js'

/**
 * Applies a JSON patch (`test`, `add`, `replace`) or a merge patch to a copy.
 *
 * @returns `undefined` for a conflict: another resourceVersion, or a `test` that does not hold
 */
export function applyPatch(object: StoredObject, patch: unknown, type: string): StoredObject | undefined {
  const copy = structuredClone(object)
  if (type.includes('json-patch')) {
    for (const { op, path, value } of patch as { op: string; path: string; value: unknown }[]) {
      const keys = path.split('/').slice(1)
      const last = keys.pop() ?? ''
      let at: any = copy
      for (const key of keys) at = at[unescapeKey(key)]
      if (op === 'test' && !isDeepStrictEqual(at[unescapeKey(last)], value)) return undefined
      if (op !== 'test') at[unescapeKey(last)] = value
    }
    return copy.metadata.resourceVersion === object.metadata.resourceVersion ? copy : undefined
  }
  const wanted = (patch as { metadata?: { resourceVersion?: string } }).metadata?.resourceVersion
  if (wanted !== undefined && wanted !== object.metadata.resourceVersion) return undefined
  return merge(copy, patch) as StoredObject
}

const unescapeKey = (key: string) => key.replaceAll('~1', '/').replaceAll('~0', '~')

// https://www.rfc-editor.org/rfc/rfc7396#section-2
function merge(target: unknown, patch: unknown): unknown {
  if (typeof patch !== 'object' || patch === null || Array.isArray(patch)) return patch
  const result: Record<string, unknown> =
    typeof target === 'object' && target !== null ? (target as Record<string, unknown>) : {}
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete result[key]
    else result[key] = merge(result[key], value)
  }
  return result
}
