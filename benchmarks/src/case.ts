/** One thing that is timed: a function that does `ops` operations and returns the result of the last. */
export interface Subject {
  /** Operations of one call of `run`; 1 when left out. */
  readonly ops?: number
  /** Called before each sample, outside the time: fresh inputs for operations that can be done once. */
  prepare?(): void
  run(): unknown
  /** `run` returns a promise, and its time ends when that does. */
  readonly asynchronous?: true
  /** Throws when a result of `run` is wrong. */
  check(result: unknown): void
  close?(): void | Promise<void>
}

/** A figure that a case measures by itself, where a loop of operations does not fit. */
export interface Figure {
  readonly value: number
  /** Raw values behind it, grouped by process where there are several. */
  readonly raw?: readonly number[]
}

export type Figures = Readonly<Record<string, Figure | number>>

/** A row of a table. Each row is run in processes of its own. */
export interface Row {
  readonly name: string
  /** What the others are held against: the least that any implementation has to do. */
  readonly floor?: true
  /** Somebody else's way to do the same. */
  readonly peer?: true
  /** Left out, with this reason. */
  skip?(): string | undefined
  /** For operations of nanoseconds to milliseconds. */
  subject?(): Subject | Promise<Subject>
  /** For everything else; `quick` proves that it runs and is right, in a second or so. */
  measure?(quick: boolean): Promise<Figures>
  /** Rounds, when the usual number is too many. */
  readonly rounds?: number
  /** How long a round takes, for the estimate. @default 0.8 with a subject, else 8 */
  readonly seconds?: number
  /** What is reported beside each figure, e.g. `ns`. Figures of `subject` have theirs. */
  readonly units?: Readonly<Record<string, string>>
}

/** What a figure has to be. */
export interface Target {
  /** Name of the row. */
  readonly row: string
  /** Which figure of the row; `ns` and `bytes` for rows with a subject. */
  readonly figure: string
  /** Divided by the same figure of this row, round by round. */
  readonly per?: string
  readonly atMost?: number
  readonly atLeast?: number
  /** Passes too when this figure of the row is at most so much: "whichever is larger". */
  readonly or?: { readonly figure: string; readonly atMost: number }
  /** Major versions of Node that it is judged on; all by default. */
  readonly nodes?: { readonly from?: number; readonly below?: number }
}

/** Rows that are compared with each other. */
export interface Table {
  /** `area/operation`. */
  readonly name: string
  /** One or two sentences on what is measured, for the README. */
  readonly about: string
  readonly rows: readonly Row[]
  readonly targets: readonly Target[]
}

/** @throws Error when a result is not what the case must give */
export function expect(condition: unknown, message: string): asserts condition {
  if (!condition) throw new Error(`wrong result: ${message}`)
}
