import { assertKnownKeys, describe, emitLanewayWarning, type Lane, LanewayError } from '@laneway/core'
import type { RulesRequest } from '../condition/request.js'
import { type CompiledRules, namingRule, type RuleDecision, type RulesExplanation } from '../decision/compile-rules.js'
import { RULES_OPTIONS, type RulesOptions, resolveRulesOptions } from '../decision/rules-options.js'
import { parseResolved } from '../document/parse-rules.js'

/** Options of {@link createRulesHolder}. */
export interface RulesHolderOptions extends RulesOptions {
  /** Told of every document that is taken. @default nobody */
  onReload?: (rules: CompiledRules, generation: number) => void
  /**
   * Told of every document that is refused, once for each text.
   * @default a process warning of type `LanewayWarning`, because silence would hide that the last good rules still run
   */
  onProblem?: (error: LanewayError) => void
}

/**
 * Rules that can be replaced while requests come in. `laneOf`, `decide`, `dependsOnCaller` and `explain` stay the same functions, need no
 * `this`, and never throw; a request meets either the old rules or the new ones, whole.
 */
export interface RulesHolder {
  readonly laneOf: (request: RulesRequest) => Lane | undefined
  readonly decide: (request: RulesRequest) => RuleDecision | undefined
  readonly dependsOnCaller: (request: RulesRequest) => boolean
  readonly explain: (request: RulesRequest) => RulesExplanation
  /**
   * Takes a new document in YAML or JSON. One that is bad changes nothing and is reported: the last good one stays, and
   * so it does for an empty text, which is what registries send for a deleted entry. Never throws, needs no `this`.
   *
   * @param text - the document; anything but a text is refused
   * @returns whether the document is the one in use
   */
  readonly replace: (text: unknown) => boolean
  /** The rules in use; `undefined` before the first good document, when nothing is coloured. */
  readonly rules: CompiledRules | undefined
  /** Counts the documents taken; 0 before the first. */
  readonly generation: number
  /** Why the newest document was refused; `undefined` when it is the one in use. */
  readonly problem: LanewayError | undefined
}

/** The names of the options. */
export const HOLDER_OPTIONS = [...RULES_OPTIONS, 'onReload', 'onProblem']

/**
 * Creates a holder without rules.
 *
 * @throws LanewayError `LANEWAY_INVALID_OPTION`
 * @example
 * const rules = createRulesHolder({ source: 'lanes.yaml' })
 * configClient.listen('lanes.yaml', content => rules.replace(content))
 * app.use(expressLane({ trust: 'edge', rules: rules.laneOf }))
 */
export function createRulesHolder(options: RulesHolderOptions = {}): RulesHolder {
  assertKnownKeys('createRulesHolder', options, HOLDER_OPTIONS)
  const { onReload, onProblem = warnRefused, ...rest } = options
  const resolved = resolveRulesOptions(rest, 'createRulesHolder')
  assertFunctions('createRulesHolder', { onReload, onProblem })
  let rules: CompiledRules | undefined
  let generation = 0
  let problem: LanewayError | undefined
  let used: string | undefined
  let refused: unknown

  function replace(text: unknown): boolean {
    if (text === used && used !== undefined) {
      problem = undefined
      refused = undefined
      return true
    }
    if (problem !== undefined && text === refused) return false
    try {
      rules = parseResolved(asText(text), resolved)
    } catch (error) {
      problem = asLanewayError(error)
      refused = text
      call(() => onProblem(problem as LanewayError))
      return false
    }
    used = text as string
    problem = undefined
    refused = undefined
    generation++
    const taken = rules
    call(() => onReload?.(taken, generation))
    return true
  }

  function asText(text: unknown): string {
    if (typeof text === 'string') return text
    throw new LanewayError('LANEWAY_INVALID_RULES', `${resolved.source}: is a text, received ${describe(text)}`)
  }

  return {
    laneOf: namingRule(
      request => rules?.laneOf(request),
      request => rules?.decide(request)?.rule,
    ),
    decide: request => rules?.decide(request),
    dependsOnCaller: request => rules?.dependsOnCaller(request) ?? false,
    explain: request => rules?.explain(request) ?? { decision: undefined, rules: [], text: 'no rules are loaded' },
    replace,
    get rules() {
      return rules
    },
    get generation() {
      return generation
    },
    get problem() {
      return problem
    },
  }
}

/** @throws LanewayError `LANEWAY_INVALID_OPTION` */
function assertFunctions(where: string, options: Record<string, unknown>): void {
  for (const [name, option] of Object.entries(options)) {
    if (option === undefined || typeof option === 'function') continue
    throw new LanewayError('LANEWAY_INVALID_OPTION', `${where}: ${name} is a function, received ${describe(option)}`)
  }
}

/** A listener that throws must not look like a bad document; it is reported as the uncaught exception that it is. */
function call(listener: () => void): void {
  try {
    listener()
  } catch (error) {
    queueMicrotask(() => {
      throw error
    })
  }
}

function asLanewayError(error: unknown): LanewayError {
  if (error instanceof LanewayError) return error
  return new LanewayError('LANEWAY_INVALID_RULES', error instanceof Error ? error.message : String(error), {
    cause: error,
  })
}

/** The default of `onProblem`. */
export function warnRefused(error: LanewayError): void {
  emitLanewayWarning(`colouring rules refused, the last good ones stay: ${error.message}`)
}
