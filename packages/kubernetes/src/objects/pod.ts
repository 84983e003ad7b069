import type { KubeObject } from './kube-object.js'
import type { LabelSet, Labels } from './label-sets.js'

/** What is kept of a pod: thousands of them are held, so no more than the join needs. */
export interface Pod {
  readonly labels: LabelSet
  /** Milliseconds since the epoch; 0 when the server does not say. */
  readonly created: number
}

/** Reads the metadata of a pod. */
export function readPod(object: KubeObject, labels: Labels): Pod {
  const created = Date.parse(object.metadata?.creationTimestamp ?? '')
  return { labels: labels.of(object.metadata?.labels), created: Number.isNaN(created) ? 0 : created }
}
