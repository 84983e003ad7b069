/** Longest tag in bytes: a Kubernetes label value. */
export const MAX_TAG_BYTES = 63

// https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#syntax-and-character-set
const TAG = /^[A-Za-z0-9](?:[A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$/

/** The tag that says "explicitly base". */
export const BASE_TAG = 'base'

/**
 * Whether a value is a lane tag: the grammar of a Kubernetes label value, case-sensitive, 1 to 63 bytes. Never throws.
 */
export function isTag(value: unknown): value is string {
  return typeof value === 'string' && TAG.test(value)
}
