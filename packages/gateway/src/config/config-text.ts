import { type Place, readYamlText } from '@laneway/rules/internal'

/** A YAML or JSON file as data, with the places of its parts. */
export interface ConfigText {
  /** One per document that holds anything; empty when there are errors. */
  readonly values: readonly unknown[]
  /** Why the file cannot be read as YAML, each as `file:line:column: what`. */
  readonly errors: readonly string[]
  /** `file:line:column` of a part. @param path - from the root of a document */
  place(path: readonly (string | number)[], document?: number): string
}

const START: Place = { line: 1, column: 1 }

/** Never throws. */
export function readConfigText(file: string, source: string): ConfigText {
  const text = readYamlText(source)
  const at = ({ line, column }: Place): string => `${file}:${line}:${column}`
  return {
    values: text.values,
    errors: text.errors.map(({ place, message }) => `${at(place)}: ${message}`),
    place: (path, document) => at(text.place(path, document) ?? START),
  }
}
