import { parseLane } from '@laneway/core'
import { describe } from '@laneway/core/internal'
import { SLOTS } from '../decision/slots.js'
import { slotsOf } from '../decision/split.js'
import { checkCondition, checkHeaderName, checkKeys, type Fields, isFields } from './check-condition.js'
import type { Path, Problems } from './problems.js'

/** Rules in a document, at most. */
export const MAX_RULES = 10_000

interface Range {
  readonly lane: string
  readonly from: number
  readonly to: number
  readonly rule: unknown
}

/** Checks a document of rules, and adds what is wrong to `problems`. A document with problems is not compiled. */
export function checkDocument(document: unknown, problems: Problems): void {
  if (!isFields(document)) {
    const empty = document === undefined || document === null || document === ''
    problems.add(
      [],
      empty
        ? 'the document is empty; to colour nothing, write "version: 1" and "rules: []"'
        : `the document is an object with version and rules, received ${describe(document)}`,
    )
    return
  }
  checkKeys(document, ['$schema', 'version', 'rules'], [], problems)
  if (document['version'] !== 1) problems.add(['version'], `is 1, received ${describe(document['version'])}`)
  const { rules } = document
  if (!Array.isArray(rules)) {
    problems.add(['rules'], `is a list, received ${describe(rules)}`)
    return
  }
  if (rules.length > MAX_RULES) {
    problems.add(['rules'], `has ${rules.length} entries, at most ${MAX_RULES} are taken`)
    return
  }
  for (const [index, rule] of rules.entries()) checkRule(rule, ['rules', index], problems)
  if (problems.size > 0) return
  checkNames(rules, problems)
  checkPriorities(rules, problems)
  if (problems.size > 0) return
  checkReachable(inOrder(rules), problems)
  checkGroups(rules, problems)
}

/** Rules with their place in the document, in the order of evaluation. */
export function inOrder<R extends { readonly priority?: number }>(rules: readonly R[]): { rule: R; index: number }[] {
  const entries = rules.map((rule, index) => ({ rule, index }))
  return entries.sort((a, b) => (a.rule.priority ?? 0) - (b.rule.priority ?? 0) || a.index - b.index)
}

function checkRule(rule: unknown, path: Path, problems: Problems): void {
  if (!isFields(rule)) {
    problems.add(path, `is an object, received ${describe(rule)}`)
    return
  }
  checkKeys(rule, ['name', 'priority', 'when', 'lane', 'split', 'trace'], path, problems)
  const { name, priority } = rule
  if (typeof name !== 'string' || name === '' || name.length > 253) {
    problems.add([...path, 'name'], `is a text of 1 to 253 characters, received ${describe(name)}`)
  }
  if (priority !== undefined && !Number.isSafeInteger(priority)) {
    problems.add([...path, 'priority'], `is a whole number, received ${describe(priority)}`)
  }
  const { trace } = rule
  if (trace !== undefined && typeof trace !== 'boolean') {
    problems.add([...path, 'trace'], `is true or false, received ${describe(trace)}`)
  }
  if (rule['when'] !== undefined) checkCondition(rule['when'], [...path, 'when'], problems)
  if ('lane' in rule === 'split' in rule) problems.add(path, 'has either a lane or a split')
  else if ('lane' in rule) checkLane(rule['lane'], [...path, 'lane'], problems, true)
  else checkSplit(rule['split'], [...path, 'split'], problems)
}

function checkLane(lane: unknown, path: Path, problems: Problems, orNull: boolean): void {
  if (orNull && lane === null) return
  if (parseLane(lane) === undefined) {
    problems.add(path, `is no lane: 1 to 4 tags joined by commas, received ${describe(lane)}`)
  }
}

function checkSplit(split: unknown, path: Path, problems: Problems): void {
  if (!isFields(split)) {
    problems.add(path, `is an object, received ${describe(split)}`)
    return
  }
  checkKeys(split, ['salt', 'key', 'lanes'], path, problems)
  const { salt, key, lanes } = split
  if (typeof salt !== 'string' || salt === '' || salt.includes('\0')) {
    problems.add([...path, 'salt'], `is a non-empty text without NUL, received ${describe(salt)}`)
  }
  checkKey(key, [...path, 'key'], problems)
  if (!Array.isArray(lanes) || lanes.length === 0) {
    problems.add([...path, 'lanes'], `is a list of one or more lanes, received ${describe(lanes)}`)
    return
  }
  for (const [index, lane] of lanes.entries()) checkSplitLane(lane, [...path, 'lanes', index], problems)
}

/** Checks the sources of a sticky key. */
export function checkKey(key: unknown, path: Path, problems: Problems): void {
  if (key === 'random') return
  if (!Array.isArray(key) || key.length === 0) {
    problems.add(path, `is "random" or a list of one or more sources, received ${describe(key)}`)
    return
  }
  for (const [index, source] of key.entries()) {
    const at = [...path, index]
    if (source === 'address') continue
    const [kind, second] = isFields(source) ? Object.keys(source) : []
    if (kind === undefined || second !== undefined || !['header', 'cookie', 'query'].includes(kind)) {
      problems.add(at, `is "address" or an object with one of header, cookie, query, received ${describe(source)}`)
      continue
    }
    const name = (source as Fields)[kind]
    if (kind === 'header') checkHeaderName(name, [...at, kind], problems)
    else if (typeof name !== 'string' || name === '') {
      problems.add([...at, kind], `is a non-empty text, received ${describe(name)}`)
    }
  }
}

function checkSplitLane(lane: unknown, path: Path, problems: Problems): void {
  if (!isFields(lane)) {
    problems.add(path, `is an object, received ${describe(lane)}`)
    return
  }
  checkKeys(lane, ['lane', 'from', 'to', 'percent'], path, problems)
  checkLane(lane['lane'], [...path, 'lane'], problems, false)
  const { from, to, percent } = lane
  const isSlot = (value: unknown): value is number =>
    Number.isInteger(value) && Number(value) >= 0 && Number(value) <= SLOTS
  if (!isSlot(from)) problems.add([...path, 'from'], `is a slot, 0 to ${SLOTS}, received ${describe(from)}`)
  if (!isSlot(to)) problems.add([...path, 'to'], `is a slot, 0 to ${SLOTS}, received ${describe(to)}`)
  if (!(typeof percent === 'number' && percent >= 0 && percent <= 100)) {
    problems.add([...path, 'percent'], `is a number from 0 to 100, received ${describe(percent)}`)
    return
  }
  const slots = slotsOf(percent)
  if (Math.abs(slots - percent * 100) > 1e-6) {
    problems.add([...path, 'percent'], `has steps of 0.01, received ${percent}`)
  }
  if (!isSlot(from) || !isSlot(to)) return
  if (from >= to) problems.add(path, `ends before it begins: from ${from}, to ${to}`)
  else if (slots > to - from) {
    problems.add(
      [...path, 'percent'],
      `${percent} needs ${slots} slots, the range from ${from} to ${to} has ${to - from}`,
    )
  }
}

function checkNames(rules: readonly Fields[], problems: Problems): void {
  const seen = new Map<unknown, number>()
  for (const [index, { name }] of rules.entries()) {
    const first = seen.get(name)
    if (first === undefined) seen.set(name, index)
    else problems.add(['rules', index, 'name'], `${describe(name)} is the name of rules[${first}] too`)
  }
}

function checkPriorities(rules: readonly Fields[], problems: Problems): void {
  const withOne = rules.filter(rule => rule['priority'] !== undefined).length
  if (withOne === 0) return
  const seen = new Map<unknown, unknown>()
  for (const [index, { name, priority }] of rules.entries()) {
    const at = ['rules', index, 'priority']
    if (priority === undefined) {
      problems.add(['rules', index], 'has no priority, but other rules have: give one to every rule or to none')
    } else if (seen.has(priority)) {
      problems.add(at, `${priority} is the priority of rule ${describe(seen.get(priority))} too; a tie has no winner`)
    }
    seen.set(priority, name)
  }
}

/** Refuses a rule that can never match, because an earlier rule takes all of its requests. */
function checkReachable(ordered: readonly { rule: Fields; index: number }[], problems: Problems): void {
  const taken = new Map<string, unknown>()
  for (const { rule, index } of ordered) {
    const condition = canonical(rule['when'])
    const always = taken.get('')
    const before = always ?? taken.get(condition)
    if (before !== undefined) {
      problems.add(
        ['rules', index],
        `can never match: rule ${describe(before)} comes first and ${always === undefined ? 'has the same condition' : 'takes every request'}`,
      )
    } else if ('lane' in rule) taken.set(condition, rule['name'])
  }
}

/** Splits of one salt share their slots, and no slot may belong to two lanes. */
function checkGroups(rules: readonly Fields[], problems: Problems): void {
  const groups = new Map<unknown, Range[]>()
  for (const [index, rule] of rules.entries()) {
    const split = rule['split'] as Fields | undefined
    if (split === undefined) continue
    // A random draw has slots of its own.
    const group = split['key'] === 'random' ? index : split['salt']
    const ranges = groups.get(group) ?? []
    groups.set(group, ranges)
    const own = new Set<unknown>()
    for (const [place, entry] of (split['lanes'] as Fields[]).entries()) {
      const { lane, from, to } = entry as { lane: string; from: number; to: number }
      const at = ['rules', index, 'split', 'lanes', place]
      if (own.has(lane)) problems.add(at, `repeats lane ${describe(lane)}`)
      own.add(lane)
      const other = ranges.find(range => range.lane !== lane && range.from < to && from < range.to)
      if (other !== undefined) {
        problems.add(
          at,
          `slots ${from} to ${to} overlap those of lane ${describe(other.lane)} in rule ${describe(other.rule)}, ${other.from} to ${other.to}, under the same salt`,
        )
      }
      ranges.push({ lane, from, to, rule: rule['name'] })
    }
  }
}

function canonical(condition: unknown): string {
  if (condition === undefined) return ''
  return JSON.stringify(condition, (_, value: unknown) =>
    isFields(value) ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))) : value,
  )
}
