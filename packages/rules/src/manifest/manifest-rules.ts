import { parseLane } from '@laneway/core'
import { describe } from '@laneway/core/internal'
import type { ResolvedRulesOptions } from '../decision/rules-options.js'
import { SLOTS } from '../decision/slots.js'
import { isFields } from '../document/check-condition.js'
import type { Rule } from '../document/document.js'
import type { Path, Problems } from '../document/problems.js'
import { listOf, readRoutes } from './http-route.js'
import { type HttpRoute, type Manifest, nameOf, type RouteFilter, type TrafficRouting } from './manifest.js'
import { readMatch } from './route-match.js'

/** Whether a value is a Kubernetes object rather than a document of rules. */
export function isManifest(value: unknown): value is Manifest {
  return isFields(value) && typeof value['kind'] === 'string'
}

/**
 * Reads Kubernetes objects as rules: TrafficRoutings in their order, then HTTPRoutes by precedence. Ignores other kinds, so
 * that a file can hold all that was applied.
 */
export function rulesOfManifests(
  manifests: readonly (readonly [unknown, Path])[],
  options: ResolvedRulesOptions,
  problems: Problems,
): { rules: Rule[]; notes: string[] } {
  const notes: string[] = []
  const trafficRoutings: [TrafficRouting, Path][] = []
  const routes: [HttpRoute, Path][] = []
  for (const [manifest, path] of manifests.flatMap(unpackList)) {
    if (!isManifest(manifest)) {
      problems.add(path, `is no Kubernetes object: it has no kind, received ${describe(manifest)}`)
    } else if (manifest.kind === 'TrafficRouting') trafficRoutings.push([manifest as TrafficRouting, path])
    else if (manifest.kind === 'HTTPRoute') routes.push([manifest as HttpRoute, path])
  }
  if (problems.size === 0 && trafficRoutings.length + routes.length === 0) {
    problems.add([], 'the document has neither a TrafficRouting nor an HTTPRoute')
  }
  const rules = trafficRoutings.flatMap(([manifest, path]) =>
    rulesOfTrafficRouting(manifest, path, options, problems, notes),
  )
  rules.push(...rulesOfRoutes(routes, options, problems, notes))
  return { rules, notes }
}

function unpackList([manifest, path]: readonly [unknown, Path]): (readonly [unknown, Path])[] {
  const items = isFields(manifest) && manifest['kind'] === 'List' ? manifest['items'] : undefined
  if (!Array.isArray(items)) return [[manifest, path]]
  return items.map((item, index) => [item, [...path, 'items', index]])
}

function rulesOfTrafficRouting(
  manifest: TrafficRouting,
  at: Path,
  options: ResolvedRulesOptions,
  problems: Problems,
  notes: string[],
): Rule[] {
  const path = [...at, 'spec', 'strategy']
  const strategy: unknown = isFields(manifest.spec) ? manifest.spec['strategy'] : undefined
  if (!isFields(strategy)) {
    problems.add(path, `is an object, received ${describe(strategy)}`)
    return []
  }
  const modifier = strategy['requestHeaderModifier']
  const lane = laneOfModifier(modifier, [...path, 'requestHeaderModifier'], nameOf(manifest), options, problems, notes)
  if (lane === undefined) {
    problems.add(path, `sets no header ${options.header}, so it colours nothing`)
    return []
  }
  const matches = listOf(strategy['matches'], [...path, 'matches'], problems)
  if (matches.length > 0) {
    return matches.map((match, index) => {
      const { condition } = readMatch(match, [...path, 'matches', index], problems)
      const name = `${nameOf(manifest)}/matches[${index}]`
      return condition === undefined ? { name, lane } : { name, when: condition, lane }
    })
  }
  return rulesOfWeight(manifest, strategy['weight'], lane, [...path, 'weight'], options, problems)
}

function rulesOfWeight(
  manifest: TrafficRouting,
  weight: unknown,
  lane: string,
  path: Path,
  { weightKey }: ResolvedRulesOptions,
  problems: Problems,
): Rule[] {
  if (weight === undefined || weight === null) return []
  if (!(typeof weight === 'number' && Number.isInteger(weight) && weight >= 0 && weight <= 100)) {
    problems.add(path, `is a percentage, 0 to 100, received ${describe(weight)}`)
    return []
  }
  if (weightKey === undefined) {
    problems.add(path, 'needs the option weightKey: where the key of a caller is read, or "random"')
    return []
  }
  const name = nameOf(manifest)
  const lanes = [{ lane, from: 0, to: SLOTS, percent: weight }]
  return [{ name: `${name}/weight`, split: { salt: name, key: weightKey, lanes } }]
}

function rulesOfRoutes(
  routes: readonly (readonly [HttpRoute, Path])[],
  options: ResolvedRulesOptions,
  problems: Problems,
  notes: string[],
): Rule[] {
  const laneOfRule = new Map<object, string | undefined>()
  const names = new Map<string, number>()
  return readRoutes(routes, problems).map(({ route, rule, ruleIndex, matchIndex, condition, path }) => {
    const of = `${nameOf(route)}/rules[${ruleIndex}]`
    if (!laneOfRule.has(rule)) {
      for (const [index, backend] of listOf(rule.backendRefs, [...path, 'backendRefs'], problems).entries()) {
        refuseBackendLane(backend, [...path, 'backendRefs', index], options, problems)
      }
      laneOfRule.set(rule, laneOfFilters(rule.filters, [...path, 'filters'], of, options, problems, notes))
    }
    const base = `${of}/matches[${matchIndex}]`
    const count = (names.get(base) ?? 0) + 1
    names.set(base, count)
    // A match has one entry for each host name.
    const name = count === 1 ? base : `${base}/${count}`
    const lane = laneOfRule.get(rule) ?? null
    return condition === undefined ? { name, lane } : { name, when: condition, lane }
  })
}

function laneOfFilters(
  filters: readonly RouteFilter[] | undefined,
  path: Path,
  of: string,
  options: ResolvedRulesOptions,
  problems: Problems,
  notes: string[],
): string | undefined {
  let lane: string | undefined
  for (const [index, filter] of listOf(filters, path, problems).entries()) {
    const type = isFields(filter) ? filter['type'] : undefined
    if (type !== 'RequestHeaderModifier') {
      notes.push(`${of}: filter ${describe(type)} is not applied`)
      continue
    }
    const at = [...path, index, 'requestHeaderModifier']
    lane ??= laneOfModifier((filter as RouteFilter).requestHeaderModifier, at, of, options, problems, notes)
  }
  return lane
}

function laneOfModifier(
  modifier: unknown,
  path: Path,
  of: string,
  { header }: ResolvedRulesOptions,
  problems: Problems,
  notes: string[],
): string | undefined {
  if (modifier === undefined || modifier === null) return undefined
  if (!isFields(modifier)) {
    problems.add(path, `is an object, received ${describe(modifier)}`)
    return undefined
  }
  let lane: string | undefined
  for (const action of ['set', 'add'] as const) {
    for (const [index, entry] of listOf(modifier[action], [...path, action], problems).entries()) {
      const at = [...path, action, index]
      const { name, value } = isFields(entry) ? entry : { name: undefined, value: undefined }
      if (typeof name !== 'string' || typeof value !== 'string') {
        problems.add(at, `is an object with a name and a value, received ${describe(entry)}`)
      } else if (name.toLowerCase() !== header) notes.push(`${of}: ${action} of header ${name} is not applied`)
      else if (parseLane(value) === undefined) problems.add([...at, 'value'], `is no lane, received ${describe(value)}`)
      else lane ??= value
    }
  }
  for (const name of listOf(modifier['remove'], [...path, 'remove'], problems)) {
    if (String(name).toLowerCase() !== header) notes.push(`${of}: remove of header ${String(name)} is not applied`)
  }
  return lane
}

function refuseBackendLane(backend: unknown, path: Path, options: ResolvedRulesOptions, problems: Problems): void {
  if (!isFields(backend)) return
  for (const [index, filter] of listOf(backend['filters'], [...path, 'filters'], problems).entries()) {
    const modifier = isFields(filter) ? filter['requestHeaderModifier'] : undefined
    if (laneOfModifier(modifier, [...path, 'filters', index], '', options, problems, []) === undefined) continue
    problems.add(
      [...path, 'filters', index],
      'colours by the weight of a backend: write a document of rules with a split, whose share is sticky',
    )
  }
}
