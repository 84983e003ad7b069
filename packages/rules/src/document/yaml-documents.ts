import { Composer, type CST, type Document, isMap, isScalar, Lexer, type LineCounter, Parser, visit } from 'yaml'

/** Far beyond what rules and manifests need; well within the stack of whoever composes and reads the nodes. */
const MAX_NESTING = 100

/** A text that is refused before nodes are made of it. */
export class TooDeep extends Error {
  readonly offset: number

  constructor(offset: number) {
    super(`is nested deeper than ${MAX_NESTING} levels`)
    this.offset = offset
  }
}

/**
 * The YAML documents of a text. Two things are done here because `yaml` does them at a cost that a text can choose:
 * nodes nest on the call stack, whose end aborts Node in the middle of a regular expression, so depth is looked at before;
 * and keys are compared each with each.
 *
 * @throws TooDeep
 */
export function readDocuments(text: string, lines: LineCounter): Document.Parsed[] {
  const composer = new Composer({ lineCounter: lines, prettyErrors: false, uniqueKeys: false })
  return [...composer.compose(tokensOf(text, lines), true, text.length)]
}

/** Keys that stand twice in one map, with their offsets. */
export function repeatedKeys(document: Document.Parsed): { key: string; offset: number }[] {
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

/** What `Parser.parse` does, with a look at the depth after each token. */
function* tokensOf(text: string, lines: LineCounter): Generator<CST.Token> {
  const parser = new Parser(lines.addNewLine)
  lines.addNewLine(0)
  for (const lexeme of new Lexer().lex(text)) {
    yield* parser.next(lexeme)
    if (parser.stack.length > MAX_NESTING) throw new TooDeep(parser.offset)
  }
  yield* parser.end()
}
