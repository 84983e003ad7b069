import { type Lane, LanewayError } from '@laneway/core'
import {
  callback,
  describe,
  emitLanewayWarning,
  type OptionTable,
  type OptionValues,
  readOptions,
} from '@laneway/core/internal'
import type { RulesRequest } from '../condition/request.js'
import { type CompiledRules, namingRule, type RuleDecision, type RulesExplanation } from '../decision/compile-rules.js'
import { RULES_OPTIONS, type RulesOptions } from '../decision/rules-options.js'
import { parseResolved } from '../document/parse-rules.js'

/** Options of {@link createRulesHolder}. */
export interface RulesHolderOptions extends RulesOptions {
  /** Called with the rules of each document that is taken. @default none */
  onReload?: (rules: CompiledRules, generation: number) => void
  /**
   * Called with the reason when a document is refused, once for each text.
   * @default a process warning of type `LanewayWarning`, because otherwise no operator would notice that the old rules still run
   */
  onProblem?: (error: LanewayError) => void
}

/**
 * Rules that can be replaced while requests come in. `laneOf`, `decide`, `dependsOnCaller` and `explain` stay the same
 * functions, need no `this`, and never throw. A request sees either all of the old rules or all of the new ones.
 */
export interface RulesHolder {
  readonly laneOf: (request: RulesRequest) => Lane | undefined
  readonly decide: (request: RulesRequest) => RuleDecision | undefined
  readonly dependsOnCaller: (request: RulesRequest) => boolean
  readonly explain: (request: RulesRequest) => RulesExplanation
  /**
   * Takes a new document in YAML or JSON. A bad document is reported and changes nothing: the last good one stays. The
   * same holds for an empty text, which registries send for a deleted entry. Never throws, needs no `this`.
   *
   * @param text - the document; any other value than a text is refused
   * @returns whether the document is the one in use
   */
  readonly replace: (text: unknown) => boolean
  /** The rules in use; `undefined` before the first good document: until then no request gets a lane. */
  readonly rules: CompiledRules | undefined
  /** How many documents have been taken. */
  readonly generation: number
  /** Why the newest document was refused; `undefined` when it is the one in use. */
  readonly problem: LanewayError | undefined
}

/** The default of `onProblem`. */
function warnRefused(error: LanewayError): void {
  emitLanewayWarning(`colouring rules refused, the last good ones stay: ${error.message}`)
}

/** How the options are read. */
export const HOLDER_OPTIONS = {
  ...RULES_OPTIONS,
  onReload: callback<NonNullable<RulesHolderOptions['onReload']>>(),
  onProblem: callback<(error: LanewayError) => void, typeof warnRefused>(warnRefused),
} satisfies OptionTable<RulesHolderOptions>

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
  return holderOf(readOptions('createRulesHolder', options, HOLDER_OPTIONS))
}

/** The same with options that have been read. */
export function holderOf(options: OptionValues<typeof HOLDER_OPTIONS>): RulesHolder {
  const { onReload, onProblem } = options
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
      rules = parseResolved(asText(text), options)
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
    throw new LanewayError('LANEWAY_INVALID_RULES', `${options.source}: is a text, received ${describe(text)}`)
  }

  return {
    laneOf: namingRule(
      request => rules?.laneOf(request),
      request => rules?.decide(request)?.rule,
      request => rules?.decide(request)?.trace === true,
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

/** A listener that throws must not look like a bad document: its error becomes an uncaught exception. */
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
