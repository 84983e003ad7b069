import { describe } from '@laneway/core/internal'
import {
  Composer,
  type CST,
  type Document,
  isCollection,
  isMap,
  isPair,
  isScalar,
  Lexer,
  LineCounter,
  type Node,
  Parser,
  visit,
} from 'yaml'
import type { Path } from './problems.js'

/** Where something begins in a text; both counted from 1. */
export interface Place {
  readonly line: number
  readonly column: number
}

/** One thing that is wrong with a text. */
export interface TextProblem {
  /** A sentence without its subject: `is no YAML: …`. */
  readonly message: string
  readonly place: Place
}

/** A YAML or JSON text as data, with the places of its parts. */
export interface YamlText {
  /** The documents that hold anything, in their order; empty when there are errors. */
  readonly values: readonly unknown[]
  readonly errors: readonly TextProblem[]
  /** What YAML accepts and a document should not have, such as an unknown tag. */
  readonly warnings: readonly TextProblem[]
  /**
   * Where a value is, or the nearest thing around it that the text has: a missing key is where its map begins.
   *
   * @param document - index in `values`
   * @returns `undefined` when there is no such document
   */
  place(path: Path, document?: number): Place | undefined
}

/** Levels of a text, at most: more than rules, configurations and manifests need, and few enough for the call stack. */
const MAX_NESTING = 100

/** Reads a text. Never throws, whatever the text holds. The caller limits its size. */
export function readYamlText(source: string): YamlText {
  // Editors on Windows put a byte order mark in front, which JSON does not allow; columns count without it.
  const text = source.charCodeAt(0) === 0xfeff ? source.slice(1) : source
  const lines = new LineCounter()
  const placeOf = (offset: number): Place => {
    const { line, col } = lines.linePos(offset)
    return { line, column: col }
  }
  const errors: TextProblem[] = []
  const warnings: TextProblem[] = []
  const all = composed(text, lines, offset => {
    errors.push({ message: `is nested deeper than ${MAX_NESTING} levels`, place: placeOf(offset) })
  })
  for (const document of all) {
    for (const { message, pos } of document.errors) {
      errors.push({ message: `is no YAML: ${message}`, place: placeOf(pos[0]) })
    }
    for (const { message, pos } of document.warnings) {
      warnings.push({ message: `is no YAML: ${message}`, place: placeOf(pos[0]) })
    }
    for (const { key, offset } of repeatedKeys(document)) {
      const message = `is no YAML: Map keys must be unique, ${describe(key)} stands twice`
      errors.push({ message, place: placeOf(offset) })
    }
  }
  const filled = all.filter(document => !isEmpty(document))
  const values = errors.length > 0 ? [] : filled.map(toValue)
  return {
    values: errors.length > 0 ? [] : values,
    errors,
    warnings,
    place(path, document = 0) {
      const found = filled[document]
      return found === undefined ? undefined : placeOf(offsetOf(found, path))
    },
  }

  /** Aliases can nest into billions of nodes; `yaml` counts them and throws. */
  function toValue(document: Document.Parsed): unknown {
    try {
      return document.toJS()
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error)
      errors.push({ message, place: placeOf(document.range[0]) })
      return undefined
    }
  }
}

/**
 * The YAML documents of a text. It limits the depth before `yaml` builds nodes, because deep nodes overflow the call stack,
 * and Node aborts when that happens inside a regular expression. It turns off the check for repeated keys of `yaml`, which
 * compares each key with every other key; see {@link repeatedKeys}.
 */
function composed(text: string, lines: LineCounter, tooDeep: (offset: number) => void): readonly Document.Parsed[] {
  const composer = new Composer({ lineCounter: lines, prettyErrors: false, uniqueKeys: false })
  const parser = new Parser(lines.addNewLine)
  lines.addNewLine(0)
  const tokens: CST.Token[] = []
  for (const lexeme of new Lexer().lex(text)) {
    tokens.push(...parser.next(lexeme))
    if (parser.stack.length > MAX_NESTING) {
      tooDeep(parser.offset)
      return []
    }
  }
  tokens.push(...parser.end())
  return [...composer.compose(tokens, true, text.length)]
}

/** Keys that stand twice in one map, with their offsets. */
function repeatedKeys(document: Document.Parsed): { key: string; offset: number }[] {
  const repeated: { key: string; offset: number }[] = []
  visit(document, {
    Map(_, map) {
      if (!isMap(map)) return
      const seen = new Set<unknown>()
      for (const { key } of map.items) {
        if (!isScalar(key)) continue
        if (seen.has(key.value) && key.value !== '<<') {
          repeated.push({ key: String(key.value), offset: key.range?.[0] ?? document.range[0] })
        }
        seen.add(key.value)
      }
    },
  })
  return repeated
}

/** Whether a document holds nothing, or only comments. */
function isEmpty({ contents }: Document.Parsed): boolean {
  return contents === null || (isScalar(contents) && contents.value === null)
}

function offsetOf(document: Document.Parsed, path: Path): number {
  let node = document.contents as Node | null
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
  return offset
}
