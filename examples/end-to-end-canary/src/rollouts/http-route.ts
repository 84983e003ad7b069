import type { Store } from '../cluster/store.js'
import { ORIGINAL_SPEC } from './names.js'
import type { RouteStrategy } from './rollout-spec.js'
import type { Route } from './route.js'

/**
 * A custom network reference to an HTTPRoute, with what the Lua script of the manifests makes of it: for matches a rule
 * with the header in front, for a weight a second reference that sets the header. The original waits in an annotation.
 */
export function createHttpRoute(store: Store, name: string, service: string): Route {
  return {
    write(strategy) {
      const route = store.get('HTTPRoute', name)
      if (route === undefined) return false
      const kept = route.metadata.annotations?.[ORIGINAL_SPEC]
      const original = kept === undefined ? route.spec : JSON.parse(kept).spec
      store.update('HTTPRoute', name, draft => {
        draft.metadata.annotations = {
          ...draft.metadata.annotations,
          [ORIGINAL_SPEC]: kept ?? JSON.stringify({ spec: route.spec }),
        }
      })
      store.update('HTTPRoute', name, draft => {
        draft.spec = { ...structuredClone(original), rules: rulesFor(original.rules, strategy, service) }
      })
      return true
    },
    restore() {
      store.update('HTTPRoute', name, draft => {
        const kept = draft.metadata.annotations?.[ORIGINAL_SPEC]
        if (kept === undefined) return
        draft.spec = JSON.parse(kept).spec
        delete draft.metadata.annotations![ORIGINAL_SPEC]
      })
    },
  }
}

function rulesFor(
  rules: readonly any[],
  { matches, weight, requestHeaderModifier }: RouteStrategy,
  service: string,
): any[] {
  const targets = (rule: any) => rule.backendRefs?.some((ref: any) => ref.name === service)
  const withTag = (filters: readonly any[] = []) => modified(filters, requestHeaderModifier)
  if (matches !== undefined && matches.length > 0) {
    const coloured = rules.filter(targets).map(rule => ({
      ...rule,
      filters: withTag(rule.filters),
      matches: (rule.matches ?? [{ path: { type: 'PathPrefix', value: '/' } }]).flatMap((base: any) =>
        matches.map(match => merged(base, match)),
      ),
    }))
    return [...coloured, ...rules]
  }
  if (weight === undefined) return [...rules]
  return rules.map(rule => {
    if (!targets(rule)) return rule
    const backendRefs = rule.backendRefs.flatMap((ref: any) =>
      ref.name === service
        ? [
            { ...ref, weight: 100 - weight },
            { ...ref, weight, filters: withTag(ref.filters) },
          ]
        : [ref],
    )
    return { ...rule, backendRefs }
  })
}

/** Joins a modifier with the one that is there: what is set is no longer removed. */
function modified(filters: readonly any[], modifier: RouteStrategy['requestHeaderModifier']): any[] {
  if (modifier === undefined) return [...filters]
  const type = 'RequestHeaderModifier'
  const present = filters.find(one => one.type === type)?.requestHeaderModifier
  if (present === undefined) return [...filters, { type, requestHeaderModifier: modifier }]
  const named = new Set((modifier.set ?? []).map(one => one.name.toLowerCase()))
  const { remove, set = [], ...rest } = present
  const kept = (remove ?? []).filter((name: string) => !named.has(name.toLowerCase()))
  const requestHeaderModifier = {
    ...rest,
    ...(kept.length > 0 && { remove: kept }),
    set: [...set.filter((one: any) => !named.has(one.name.toLowerCase())), ...(modifier.set ?? [])],
  }
  return filters.map(one => (one.type === type ? { type, requestHeaderModifier } : one))
}

/** A header of the match replaces one of the rule: the API server refuses two of one name. */
function merged(base: any, match: NonNullable<RouteStrategy['matches']>[number]): any {
  const headers = (match.headers ?? []).map(one => ({ type: 'Exact', ...one }))
  const kept = (base.headers ?? []).filter(
    (one: any) => !headers.some(other => other.name.toLowerCase() === one.name.toLowerCase()),
  )
  const queryParams = (match.queryParams ?? []).map(one => ({ type: 'Exact', ...one }))
  return {
    ...base,
    ...(match.path !== undefined && { path: match.path }),
    ...(headers.length > 0 && { headers: [...kept, ...headers] }),
    ...(queryParams.length > 0 && { queryParams: [...(base.queryParams ?? []), ...queryParams] }),
  }
}
