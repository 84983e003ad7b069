import { LanewayError } from '@laneway/core'
import { type Document, isCollection, isMap, isPair, LineCounter, type Node, parseAllDocuments } from 'yaml'

/** A YAML or JSON file as data, with the places of its parts. */
export interface ConfigText {
  readonly file: string
  /** One per document that holds anything. */
  readonly values: readonly unknown[]
  /** `file:line:column` of a part. @param path - from the root of a document */
  place(path: readonly (string | number)[], document?: number): string
}

/** @throws LanewayError `LANEWAY_INVALID_OPTION`, each problem as `file:line:column: what` */
export function readConfigText(file: string, source: string): ConfigText {
  // Editors on Windows put a byte order mark in front; columns count without it.
  const text = source.charCodeAt(0) === 0xfeff ? source.slice(1) : source
  const lines = new LineCounter()
  const parsed = parseAllDocuments(text, { lineCounter: lines, prettyErrors: false })
  const documents = (Array.isArray(parsed) ? parsed : []) as Document.Parsed[]
  const at = (offset: number): string => {
    const { line, col } = lines.linePos(offset)
    return `${file}:${line}:${col}`
  }
  const problems = documents.flatMap(({ errors }) => errors.map(({ pos, message }) => `${at(pos[0])}: ${message}`))
  if (problems.length > 0) throw new LanewayError('LANEWAY_INVALID_OPTION', problems.join('\n'))
  const filled = documents.filter(({ contents }) => contents !== null)
  return {
    file,
    values: filled.map(document => document.toJS({ maxAliasCount: 100 }) as unknown),
    place: (path, document = 0) => at(offsetOf(filled[document], path)),
  }
}

/** Where the value at a path, or the nearest thing around it, begins. */
function offsetOf(document: Document.Parsed | undefined, path: readonly (string | number)[]): number {
  if (document === undefined) return 0
  let node: Node | null | undefined = document.contents
  let offset = node?.range?.[0] ?? 0
  for (const key of path) {
    if (!isCollection(node)) break
    if (isMap(node)) {
      const pair = node.items.find(item => isPair(item) && String(item.key) === String(key))
      if (pair === undefined) break
      offset = (pair.key as Node).range?.[0] ?? offset
      node = pair.value as Node | null
    } else {
      const item = node.get(key, true) as Node | undefined
      if (item === undefined || item === null) break
      node = item
      offset = item.range?.[0] ?? offset
    }
  }
  return offset
}

/** `routes[2].path.prefix` as a path; a message names what it is about so. */
export function pathIn(message: string): (string | number)[] {
  const [text = ''] = /[A-Za-z]\w*(?:\[\d+\]|\.[A-Za-z]\w*|\["[^"]*"\])*(?=[ :]|$)/.exec(message) ?? []
  const path: (string | number)[] = []
  for (const part of text.matchAll(/\[(\d+)\]|\["([^"]*)"\]|[A-Za-z]\w*/g)) {
    path.push(part[1] !== undefined ? Number(part[1]) : (part[2] ?? part[0]))
  }
  const unknown = /has no option "([^"]+)"/.exec(message)?.[1]
  if (unknown !== undefined) path.push(unknown)
  return path
}
