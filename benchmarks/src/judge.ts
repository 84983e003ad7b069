import type { Figures, Target } from './case.js'
import type { TableResult } from './run-table.js'
import { median } from './statistics.js'

/** A figure over all rounds. */
export interface Spread {
  readonly median: number
  readonly low: number
  readonly high: number
}

/** Whether a target is met, and by what. */
export interface Verdict {
  readonly target: Target
  readonly value: Spread
  readonly met: boolean
  /** The limit lies inside the spread of the rounds: another run may say otherwise. */
  readonly close: boolean
}

export function readFigure(figures: Figures | undefined, name: string): number {
  const figure = figures?.[name]
  return typeof figure === 'number' ? figure : (figure?.value ?? Number.NaN)
}

export function spreadOf(values: readonly number[]): Spread {
  return { median: median(values), low: Math.min(...values), high: Math.max(...values) }
}

/** One figure of a row; with `per`, divided by that of another row in the same round. */
export function figureOf(result: TableResult, row: string, figure: string, per?: string): Spread | undefined {
  const rounds = result.rows.find(one => one.row.name === row)?.rounds
  if (rounds === undefined || rounds.length === 0) return undefined
  if (per === undefined) return spreadOf(rounds.map(figures => readFigure(figures, figure)))
  const others = result.rows.find(one => one.row.name === per)?.rounds
  if (others === undefined || others.length === 0) return undefined
  return spreadOf(
    rounds.slice(0, others.length).map((figures, at) => readFigure(figures, figure) / readFigure(others[at], figure)),
  )
}

/**
 * The verdicts on the targets whose rows were run.
 *
 * @param major - of the Node that ran them
 */
export function judge(result: TableResult, major: number): Verdict[] {
  const verdicts: Verdict[] = []
  for (const target of result.table.targets) {
    const { from = 0, below = Number.POSITIVE_INFINITY } = target.nodes ?? {}
    if (major < from || major >= below) continue
    const value = figureOf(result, target.row, target.figure, target.per)
    if (value === undefined) continue
    const { atMost = Number.POSITIVE_INFINITY, atLeast = Number.NEGATIVE_INFINITY, or } = target
    const other = or && figureOf(result, target.row, or.figure)
    const met =
      (value.median <= atMost && value.median >= atLeast) ||
      (or !== undefined && other !== undefined && other.median <= or.atMost)
    const limit = target.atMost ?? target.atLeast ?? 0
    verdicts.push({ target, value, met, close: value.low <= limit && limit <= value.high && value.low !== value.high })
  }
  return verdicts
}

/** A target in words: `one: ns <= 100`, `10k: ns / 10 <= 2.5`. */
export function wordsOf(target: Target): string {
  const { row, figure, per, atMost, atLeast, or } = target
  const limit = atMost !== undefined ? `<= ${atMost}` : `>= ${atLeast}`
  const more = or === undefined ? '' : ` or ${or.figure} <= ${or.atMost}`
  return `${row}: ${figure}${per === undefined ? '' : ` / ${per}`} ${limit}${more}`
}
