import { LanewayError } from '@laneway/core'
import { type Place, readYamlText } from '@laneway/rules/internal'

/** A YAML or JSON file as data, with the places of its parts. */
export interface ConfigText {
  readonly file: string
  /** One per document that holds anything. */
  readonly values: readonly unknown[]
  /** `file:line:column` of a part. @param path - from the root of a document */
  place(path: readonly (string | number)[], document?: number): string
}

const START: Place = { line: 1, column: 1 }

/** @throws LanewayError `LANEWAY_INVALID_OPTION`, each problem as `file:line:column: what` */
export function readConfigText(file: string, source: string): ConfigText {
  const text = readYamlText(source)
  const at = ({ line, column }: Place): string => `${file}:${line}:${column}`
  if (text.errors.length > 0) {
    const problems = text.errors.map(({ place, message }) => `${at(place)}: ${message}`)
    throw new LanewayError('LANEWAY_INVALID_OPTION', problems.join('\n'))
  }
  return {
    file,
    values: text.values,
    place: (path, document) => at(text.place(path, document) ?? START),
  }
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
