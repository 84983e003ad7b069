/** The selector of a Service; `undefined`: the Service has none, or there is no such Service. */
export type ServiceSelector = Readonly<Record<string, string>> | undefined

/** Selects no pod at all. */
const NONE = 'kubernetes.io/service-name,!kubernetes.io/service-name'

/**
 * One label selector for the pods of all the Services. A label selector cannot say "or" between keys, so it may select
 * more than the pods of the Services, but never less: for `app=orders` and `app=bills`, `app in (bills,orders)`.
 *
 * @returns `undefined`: all pods, because the Services have no key in common
 */
export function podSelectorOf(selectors: readonly Readonly<Record<string, string>>[]): string | undefined {
  const [first, ...others] = selectors
  if (first === undefined) return NONE
  const shared = Object.keys(first).filter(key => others.every(other => Object.hasOwn(other, key)))
  if (shared.length === 0) return undefined
  return shared
    .sort()
    .map(key => {
      const values = [...new Set(selectors.map(selector => selector[key]!))].sort()
      return values.length === 1 ? `${key}=${values[0]}` : `${key} in (${values.join(',')})`
    })
    .join(',')
}
