import { type CompiledRules, compileResolved } from '../decision/compile-rules.js'
import { type ResolvedRulesOptions, type RulesOptions, resolveRulesOptions } from '../decision/rules-options.js'
import { Problems } from './problems.js'
import { readYamlText } from './yaml-text.js'

/** A longer text is refused before it is parsed. */
export const MAX_RULES_BYTES = 4 * 1024 * 1024

/**
 * Compiles rules from YAML or JSON text: a document of rules, or one or several Kubernetes manifests. Problems are
 * reported with line and column.
 *
 * @throws LanewayError `LANEWAY_INVALID_RULES`, each problem as `source:line:column: place what`, and as a list in `cause`
 */
export function parseRules(text: string, options?: RulesOptions): CompiledRules {
  return parseResolved(text, resolveRulesOptions(options, 'parseRules'))
}

/** The same with resolved options. */
export function parseResolved(source: string, options: ResolvedRulesOptions): CompiledRules {
  const bytes = Buffer.byteLength(source)
  if (bytes > MAX_RULES_BYTES) {
    const problems = new Problems()
    problems.add([], `the document has ${bytes} bytes, at most ${MAX_RULES_BYTES} are taken`)
    problems.throwIfAny(options.source)
  }
  const text = readYamlText(source)
  const { values, errors, warnings } = text
  const several = values.length > 1
  const problems = new Problems(path => {
    if (!several) return text.place(path)
    const [document, ...rest] = path
    return text.place(rest, typeof document === 'number' ? document : 0)
  })
  for (const { message, place } of [...errors, ...warnings]) problems.addAt([], message, place)
  problems.throwIfAny(options.source)
  return compileResolved(several ? values : values[0], options, problems)
}
