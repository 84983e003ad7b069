import { type Lane, parseLane } from '@laneway/core'
import { createCallerDependence } from '../condition/caller-dependence.js'
import { ALWAYS, type CompiledCondition, type ConditionTrace, compileCondition } from '../condition/condition.js'
import type { RulesRequest } from '../condition/request.js'
import { checkDocument, inOrder } from '../document/check-document.js'
import type { Rule, RulesDocument } from '../document/document.js'
import { type Path, Problems } from '../document/problems.js'
import type { Manifest } from '../manifest/manifest.js'
import { isManifest, rulesOfManifests } from '../manifest/manifest-rules.js'
import { type Entry, FirstMatch } from './first-match.js'
import { type ResolvedRulesOptions, type RulesOptions, resolveRulesOptions } from './rules-options.js'
import { type CompiledSplit, compileSplit } from './split.js'

/** What the rules decide about a request. Frozen, and created when the rules are compiled. */
export interface RuleDecision {
  /** The rule's name. */
  readonly rule: string
  /** `undefined` where the rule says `lane: null`. */
  readonly lane: Lane | undefined
  /** Place of the rule in the order of evaluation, from 0. */
  readonly position: number
  /**
   * Another caller may get another lane for the same method and URL, because this rule or one before it looks at a header,
   * cookie, query parameter or address, or splits callers. A shared cache must not store the answer.
   */
  readonly perCaller: boolean
  /** The rule lets its requests ask for their path; left out where it does not. */
  readonly trace?: true
}

/** Why a rule did or did not decide. */
export interface RuleTrace {
  readonly rule: string
  /** `condition`: it did not hold. `key`: the request has no key for the split. `slot`: no lane of the split has the slot. */
  readonly verdict: 'decided' | 'condition' | 'key' | 'slot'
  readonly condition: ConditionTrace
  /** Where the key was read, e.g. `cookie uid`. */
  readonly key?: string
  /** 0 to 9,999. */
  readonly slot?: number
}

/** What {@link CompiledRules.explain} returns. It quotes the request: treat it like the request. */
export interface RulesExplanation {
  readonly decision: RuleDecision | undefined
  /** In the order of evaluation, up to the rule that decided. */
  readonly rules: readonly RuleTrace[]
  /** The same for people, one line per rule. */
  readonly text: string
}

/** Compiled rules. Its functions never throw, whatever the request holds, and need no `this`. */
export interface CompiledRules {
  /** The lane of a request; an ingress takes this function as its option `rules`. */
  readonly laneOf: (request: RulesRequest) => Lane | undefined
  /** The same with the rule; `undefined` when none matches. */
  readonly decide: (request: RulesRequest) => RuleDecision | undefined
  /**
   * Whether a rule may decide for another caller of the same method and URL. For requests for which no rule decided.
   */
  readonly dependsOnCaller: (request: RulesRequest) => boolean
  /** Explains the decision. It tries rule by rule: use it for debugging, not for every request. */
  readonly explain: (request: RulesRequest) => RulesExplanation
  /** How many rules there are. */
  readonly size: number
  /** Parts of a manifest that colouring rules do not apply, e.g. other headers that it sets. */
  readonly notes: readonly string[]
}

/** What can be compiled: a document of rules, or Kubernetes objects as they are. */
export type RulesInput = RulesDocument | Manifest | readonly Manifest[]

/**
 * Compiles rules once, at start or reload. The input is not kept.
 *
 * @throws LanewayError `LANEWAY_INVALID_RULES` with every problem in the message and as a list in `cause`;
 *   `LANEWAY_INVALID_OPTION`
 */
export function compileRules(input: RulesInput, options?: RulesOptions): CompiledRules {
  return compileResolved(input, resolveRulesOptions(options), new Problems())
}

/** The same with resolved options; problems found so far are reported with the rest. */
export function compileResolved(input: unknown, options: ResolvedRulesOptions, problems: Problems): CompiledRules {
  const { rules, notes } = rulesOf(input, options, problems)
  problems.throwIfAny(options.source)
  const compiled = rules.map((rule, position) => compileRule(rule, position, options))
  const index = new FirstMatch(compiled)
  const dependsOnCaller = createCallerDependence(
    compiled.map(({ perCaller }, position) => ({ condition: rules[position]!.when, perCaller })),
  )
  function withCallers(request: RulesRequest, decision: RuleDecision | undefined): RuleDecision | undefined {
    if (decision === undefined || decision.perCaller || !dependsOnCaller(request, decision.position)) return decision
    return compiled[decision.position]!.forCallers
  }
  return Object.freeze({
    laneOf: namingRule(
      (request: RulesRequest) => index.find(request)?.lane,
      request => index.find(request)?.rule,
      request => index.find(request)?.trace === true,
    ),
    decide: (request: RulesRequest) => withCallers(request, index.find(request)),
    dependsOnCaller: (request: RulesRequest) => dependsOnCaller(request, compiled.length),
    explain: (request: RulesRequest) => explain(compiled, withCallers, request),
    size: rules.length,
    notes: Object.freeze(notes),
  })
}

/** Lets an ingress name the rule and ask whether it allows a trace; see `IngressOptions.rules`. */
export function namingRule(
  laneOf: (request: RulesRequest) => Lane | undefined,
  ruleOf: (request: RulesRequest) => string | undefined,
  tracesOf: (request: RulesRequest) => boolean,
): typeof laneOf {
  return Object.assign(laneOf, { ruleOf, tracesOf })
}

interface CompiledRule extends Entry<RuleDecision> {
  readonly rule: string
  readonly condition: CompiledCondition
  readonly split: CompiledSplit | undefined
  readonly decisions: readonly RuleDecision[]
  readonly perCaller: boolean
  /** The only decision, where a rule before this one looks at the caller. */
  readonly forCallers: RuleDecision | undefined
}

function rulesOf(
  input: unknown,
  options: ResolvedRulesOptions,
  problems: Problems,
): { rules: readonly Rule[]; notes: string[] } {
  if (Array.isArray(input) || isManifest(input)) {
    const manifests: [unknown, Path][] = Array.isArray(input)
      ? input.map((manifest, index) => [manifest, [index]])
      : [[input, []]]
    return rulesOfManifests(manifests, options, problems)
  }
  checkDocument(input, problems)
  if (problems.size > 0) return { rules: [], notes: [] }
  return { rules: inOrder((input as RulesDocument).rules).map(({ rule }) => rule), notes: [] }
}

function compileRule(rule: Rule, position: number, options: ResolvedRulesOptions): CompiledRule {
  const condition = rule.when === undefined ? ALWAYS : compileCondition(rule.when, options.clientAddress)
  const split = rule.split === undefined ? undefined : compileSplit(rule.split, options.clientAddress, options.random)
  const perCaller = split !== undefined || condition.perCaller
  const lanes = split?.lanes ?? [rule.lane === null ? undefined : parseLane(rule.lane)]
  const traces = rule.trace === true && { trace: true as const }
  const decisions = lanes.map(lane => Object.freeze({ rule: rule.name, lane, position, perCaller, ...traces }))
  const [only] = decisions
  return {
    rule: rule.name,
    condition,
    split,
    decisions,
    perCaller,
    forCallers: only === undefined ? undefined : Object.freeze({ ...only, perCaller: true }),
    outcome: split === undefined ? () => only : request => decisions[split.pick(request)],
    once: rule.split?.key === 'random',
  }
}

function explain(
  rules: readonly CompiledRule[],
  withCallers: (request: RulesRequest, decision: RuleDecision | undefined) => RuleDecision | undefined,
  request: RulesRequest,
): RulesExplanation {
  const traces: RuleTrace[] = []
  let decision: RuleDecision | undefined
  for (const rule of rules) {
    const condition = rule.condition.trace(request)
    if (!condition.held) {
      traces.push({ rule: rule.rule, verdict: 'condition', condition })
      continue
    }
    const draw = rule.split?.draw(request)
    decision = draw === undefined ? rule.decisions[0] : rule.decisions[draw.lane]
    traces.push({
      rule: rule.rule,
      verdict: decision !== undefined ? 'decided' : draw?.slot === undefined ? 'key' : 'slot',
      condition,
      ...(draw?.source === undefined ? undefined : { key: draw.source }),
      ...(draw?.slot === undefined ? undefined : { slot: draw.slot }),
    })
    if (decision !== undefined) break
  }
  const lines = traces.map(trace => lineOf(trace, decision))
  if (decision === undefined) lines.push('no rule decided: not coloured')
  return { decision: withCallers(request, decision), rules: traces, text: lines.join('\n') }
}

function lineOf(trace: RuleTrace, decision: RuleDecision | undefined): string {
  const { rule, verdict, condition, key, slot } = trace
  const draw = slot === undefined ? '' : `, slot ${slot} by ${key}`
  if (verdict === 'condition') return `${rule}: no, ${wordsOf(condition)}`
  if (verdict === 'key') return `${rule}: no, the request has none of the keys`
  if (verdict === 'slot') return `${rule}: no${draw} belongs to no lane`
  const lane = decision?.lane === undefined ? 'not coloured' : `lane ${decision.lane.header}`
  return `${rule}: ${lane}, ${wordsOf(condition)}${draw}`
}

/** The part that decided, and what the request has there. */
function wordsOf(trace: ConditionTrace): string {
  const last = trace.parts?.[trace.parts.length - 1]
  if (trace.condition === 'not' && last !== undefined) return `not (${wordsOf(last)})`
  if (trace.parts !== undefined && trace.condition === (trace.held ? 'all' : 'any')) {
    return trace.parts.map(wordsOf).join(trace.held ? ' and ' : ', ')
  }
  if (last !== undefined) return wordsOf(last)
  const received = trace.received === undefined ? '' : `, received ${JSON.stringify(trace.received)}`
  return trace.condition === 'every request'
    ? trace.condition
    : `${trace.condition} ${trace.held ? 'holds' : 'does not hold'}${received}`
}
