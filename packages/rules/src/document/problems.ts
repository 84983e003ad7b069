import { LanewayError, type LanewayErrorCode } from '@laneway/core'
import { formatPath } from '@laneway/core/internal'

/** A place in a document: keys and list positions from the root. */
export type Path = readonly (string | number)[]

/** One thing that is wrong with a document. */
export interface RulesProblem {
  /** What is wrong, with the received value: a sentence without its subject. */
  readonly message: string
  /** Where, e.g. `rules[2].when.header.regex`; empty for the document itself. */
  readonly at: string
  /** The same place as keys and list positions. */
  readonly path: Path
  /** Counted from 1; only for documents read from text. */
  readonly line?: number
  /** Counted from 1; only for documents read from text. */
  readonly column?: number
}

/** Finds the place of a path in the text that it came from. */
export type Locate = (path: Path) => { readonly line: number; readonly column: number } | undefined

/** Enough to repair a document at once, and few enough to read. */
const MAX_PROBLEMS = 20

/** Collects what is wrong, so that one load reports all of it. */
export class Problems {
  readonly #list: RulesProblem[] = []
  readonly #locate: Locate | undefined

  constructor(locate?: Locate) {
    this.#locate = locate
  }

  get size(): number {
    return this.#list.length
  }

  /** Whether further problems are dropped. */
  get full(): boolean {
    return this.#list.length >= MAX_PROBLEMS
  }

  add(path: Path, message: string): void {
    // Checked first, because finding the place costs more.
    if (this.full) return
    this.addAt(path, message, this.#locate?.(path))
  }

  addAt(path: Path, message: string, place: { readonly line: number; readonly column: number } | undefined): void {
    // Broken YAML has an error on each line.
    if (this.full) return
    const problem = { message, at: formatPath(path), path: Object.freeze([...path]) }
    this.#list.push(
      Object.freeze(place === undefined ? problem : { ...problem, line: place.line, column: place.column }),
    )
  }

  /** @throws LanewayError with the list of problems as its `cause`, when there are any */
  throwIfAny(source: string, code: LanewayErrorCode = 'LANEWAY_INVALID_RULES'): void {
    if (this.#list.length === 0) return
    const lines = this.#list.map(problem => {
      const place = problem.line === undefined ? source : `${source}:${problem.line}:${problem.column}`
      return `${place}: ${problem.at === '' ? '' : `${problem.at} `}${problem.message}`
    })
    throw new LanewayError(code, lines.join('\n'), { cause: Object.freeze([...this.#list]) })
  }
}
