// Resource versions of one resource type are comparable decimal numbers of any length:
// https://kubernetes.io/docs/reference/using-api/api-concepts/#resource-versions
const DECIMAL = /^[1-9][0-9]*$/

/** Whether `version` is certainly older than `other`; `false` for versions that are not numbers. Never throws. */
export function isOlder(version: string, other: string): boolean {
  if (!DECIMAL.test(version) || !DECIMAL.test(other)) return false
  return version.length === other.length ? version < other : version.length < other.length
}
