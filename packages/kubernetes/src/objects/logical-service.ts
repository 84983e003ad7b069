import type { Slice } from './slice.js'

/** Label of a Service that says which logical service its lane belongs to. */
export const LOGICAL_SERVICE = 'laneway.io/service'

/**
 * The service that a slice counts for. With a Service per lane, `orders-gray` in lane `gray` is a part of `orders`: by
 * the label `laneway.io/service`, else by the suffix.
 */
export function logicalService(slice: Slice, perLane: boolean): string {
  if (!perLane) return slice.service
  const labelled = slice.labels.labels[LOGICAL_SERVICE]
  if (labelled !== undefined && labelled !== '') return labelled.toLowerCase()
  for (const tag of slice.labels.tags) {
    const suffix = `-${tag.toLowerCase()}`
    if (slice.service.endsWith(suffix) && slice.service.length > suffix.length) {
      return slice.service.slice(0, -suffix.length)
    }
  }
  return slice.service
}
