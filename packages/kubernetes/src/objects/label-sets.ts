import { BoundedMap } from '@laneway/core/internal'
import { tagsOfMetadata } from '@laneway/discovery'

/** Labels with the lane tags in them. */
export interface LabelSet {
  readonly labels: Readonly<Record<string, string>>
  readonly tags: readonly string[]
}

/** One object for equal labels: the pods of a ReplicaSet share theirs, and so do the slices of a Service. */
export interface Labels {
  of(labels: Readonly<Record<string, string>> | null | undefined): LabelSet
}

/** Sharing saves memory; nothing depends on it. */
const MAX_KEPT = 10_000

/** @param extraNames - further label names whose value is a tag */
export function createLabels(extraNames: readonly string[]): Labels {
  const kept = new BoundedMap<string, LabelSet>(MAX_KEPT)
  return {
    of(labels) {
      const key = JSON.stringify(labels ?? {})
      let set = kept.get(key)
      if (set === undefined) {
        set = Object.freeze({
          labels: Object.freeze({ ...labels }),
          tags: Object.freeze(tagsOfMetadata(labels, extraNames)),
        })
        kept.set(key, set)
      }
      return set
    },
  }
}
