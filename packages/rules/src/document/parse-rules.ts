import { describe } from '@laneway/core'
import { type Document, isCollection, isMap, isPair, isScalar, LineCounter, type Node, type ParsedNode } from 'yaml'
import { type CompiledRules, compileResolved } from '../decision/compile-rules.js'
import { type ResolvedRulesOptions, type RulesOptions, resolveRulesOptions } from '../decision/rules-options.js'
import { type Path, Problems } from './problems.js'
import { readDocuments, repeatedKeys, TooDeep } from './yaml-documents.js'

/** Beyond this a text is refused before it is parsed. */
export const MAX_RULES_BYTES = 4 * 1024 * 1024

/**
 * Compiles rules from YAML or JSON text: a document of rules, or Kubernetes manifests, several to a file if need be.
 * What is wrong is reported with line and column.
 *
 * @throws LanewayError `LANEWAY_INVALID_RULES`, each problem as `source:line:column: place what`, and as a list in `cause`
 */
export function parseRules(text: string, options?: RulesOptions): CompiledRules {
  return parseResolved(text, resolveRulesOptions(options, 'parseRules'))
}

/** The same with resolved options. */
export function parseResolved(source: string, options: ResolvedRulesOptions): CompiledRules {
  // Editors on Windows put a byte order mark in front, which JSON does not allow; columns count without it.
  const text = source.charCodeAt(0) === 0xfeff ? source.slice(1) : source
  const bytes = Buffer.byteLength(text)
  if (bytes > MAX_RULES_BYTES) {
    const problems = new Problems()
    problems.add([], `the document has ${bytes} bytes, at most ${MAX_RULES_BYTES} are taken`)
    problems.throwIfAny(options.source)
  }
  const lines = new LineCounter()
  const all = documentsOf(text, lines, options.source)
  const documents = all.filter(document => !isEmpty(document))
  const several = documents.length > 1
  const problems = new Problems(path => {
    const [first] = path
    if (!several) return placeOf(documents[0], path, lines)
    return placeOf(documents[typeof first === 'number' ? first : 0], path.slice(1), lines)
  })
  for (const document of all) {
    for (const error of [...document.errors, ...document.warnings]) {
      problems.addAt([], `is no YAML: ${error.message}`, place(lines, error.pos[0]))
    }
    for (const { key, offset } of repeatedKeys(document)) {
      problems.addAt([], `is no YAML: Map keys must be unique, ${describe(key)} stands twice`, place(lines, offset))
    }
  }
  problems.throwIfAny(options.source)
  const values = documents.map(document => toValue(document, problems, lines))
  problems.throwIfAny(options.source)
  return compileResolved(several ? values : values[0], options, problems)
}

function documentsOf(text: string, lines: LineCounter, source: string): readonly Document.Parsed[] {
  try {
    return readDocuments(text, lines)
  } catch (error) {
    if (!(error instanceof TooDeep)) throw error
    const problems = new Problems()
    problems.addAt([], error.message, place(lines, error.offset))
    problems.throwIfAny(source)
    throw error
  }
}

/** Nothing, or nothing but comments: what stands between two `---`. */
function isEmpty({ contents }: Document.Parsed): boolean {
  return contents === null || (isScalar(contents) && contents.value === null)
}

/** Aliases can nest into billions of nodes; `yaml` counts them and throws. */
function toValue(document: Document.Parsed, problems: Problems, lines: LineCounter): unknown {
  try {
    return document.toJS()
  } catch (error) {
    problems.addAt([], error instanceof Error ? error.message : String(error), place(lines, document.range[0]))
    return undefined
  }
}

/** The value at a path, or the nearest thing around it that the text has. A missing key is where its map begins. */
function placeOf(
  document: Document.Parsed | undefined,
  path: Path,
  lines: LineCounter,
): { line: number; column: number } | undefined {
  if (document === undefined) return undefined
  let node: Node | null = document.contents as ParsedNode | null
  let offset = node?.range?.[0] ?? document.range[0]
  for (const key of path) {
    if (!isCollection(node)) break
    if (isMap(node)) {
      const pair = node.items.find(item => isPair(item) && String(item.key) === String(key))
      if (pair === undefined) break
      // A problem with what a key holds is shown at the key: a block value begins on the next line.
      offset = (pair.key as Node).range?.[0] ?? offset
      node = pair.value as Node | null
    } else {
      const item: unknown = node.get(key, true)
      if (item === undefined || item === null) break
      node = item as Node
      offset = node.range?.[0] ?? offset
    }
  }
  return place(lines, offset)
}

function place(lines: LineCounter, offset: number): { line: number; column: number } {
  const { line, col } = lines.linePos(offset)
  return { line, column: col }
}
