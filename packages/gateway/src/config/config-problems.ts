import { LanewayError, type OptionPath } from '@laneway/core'
import { assertKnownKeys, formatPath, OptionPlace } from '@laneway/core/internal'
import type { RulesProblem } from '@laneway/rules'
import type { ConfigText } from './config-text.js'

/** A place in a configuration. */
export type ConfigPath = OptionPath

/** Collects what is wrong with a configuration, so that one check reports all of it. */
export class ConfigProblems {
  readonly #text: ConfigText
  /** A set, because two checks may find the same mistake. */
  readonly #lines = new Set<string>()

  constructor(text: ConfigText) {
    this.#text = text
  }

  get size(): number {
    return this.#lines.size
  }

  /** @param problem - a sentence without its subject, which is the path */
  add(path: ConfigPath, problem: string): void {
    this.#lines.add(`${this.#text.place(path)}: ${formatPath(path)} ${problem}`)
  }

  addLines(lines: readonly string[]): void {
    for (const line of lines) this.#lines.add(line)
  }

  /** Reports an error whose path begins at the root of the configuration. */
  readonly report = (error: LanewayError): void => {
    if (error.path.length > 0) this.#lines.add(`${this.#text.place(error.path)}: ${error.text}`)
    else this.addLines(error.text.split('\n'))
  }

  /**
   * Runs a check that throws our errors, and reports what it throws.
   *
   * @param under - where the paths of the error begin; `undefined` for the root
   * @param place - the place of an error that names none. @default `under`
   * @returns whether nothing was wrong
   */
  check(work: () => void, under: ConfigPath = [], place: ConfigPath = under): boolean {
    try {
      work()
      return true
    } catch (error) {
      if (!(error instanceof LanewayError)) throw error
      for (const { path, problem } of problemsOf(error) ?? []) this.add([...under, ...path], problem)
      if (problemsOf(error) !== undefined) return false
      if (under.length === 0) this.report(error)
      else this.add(error.path.length === 0 ? place : [...under, ...error.path], error.problem)
      return false
    }
  }

  /** Reports each unknown key, and a value that is no object. @returns whether it is an object */
  keys(path: ConfigPath, value: unknown, keys: readonly string[], name = ''): value is object {
    assertKnownKeys(new OptionPlace(name, path), value as object, keys, this.report)
    return typeof value === 'object' && value !== null && !Array.isArray(value)
  }

  /** @throws LanewayError `LANEWAY_INVALID_OPTION` with all of them */
  throwIfAny(): void {
    if (this.size > 0) throw new LanewayError('LANEWAY_INVALID_OPTION', [...this.#lines].join('\n'))
  }
}

/**
 * The problems of rules and routes, each with its path; `undefined` for other errors, and for a document that is a file of
 * its own: there each line of the message names file and line.
 */
export function problemsOf(
  error: LanewayError,
): readonly { readonly path: ConfigPath; readonly problem: string }[] | undefined {
  const list = error.cause
  if (error.code !== 'LANEWAY_INVALID_RULES' || !Array.isArray(list)) return undefined
  const problems = list as RulesProblem[]
  if (problems.some(({ line }) => line !== undefined)) return undefined
  return problems.map(({ path, message }) => ({ path, problem: message }))
}
