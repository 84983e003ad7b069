import { join } from 'node:path'
import type { Figures, Row, Table } from './case.js'
import { changeOf, isCost } from './change.js'
import { readFigure, spreadOf } from './judge.js'
import { spreadText, textTable } from './print.js'
import { type RunSettings, runRow, selectedRows } from './run-table.js'
import { withTrees } from './trees.js'

/** Below this there is no spread to speak of, so nothing is said to cost more. */
const LEAST_ROUNDS = 3

/** The figures of a row, round by round: in one tree and in the other. */
interface Rounds {
  readonly old: Figures[]
  readonly now: Figures[]
}

/**
 * Runs the same cases against the packages of a git ref and against those here, in turns: here first in one round, there
 * first in the next. A difference inside the spread of the rounds is none. A row that costs more is measured once more,
 * since one row of many does so by chance.
 *
 * @returns the exit code: 1 when a row costs more both times, or fails here
 */
export function compareWith(ref: string, tables: readonly Table[], settings: RunSettings): Promise<number> {
  return withTrees(ref, async (here, there) => {
    const now = { ...settings, script: join(here, 'run-row.js') }
    const old = { ...settings, script: join(there, 'run-row.js') }
    const worse: string[] = []
    for (const table of tables) {
      console.log(`\n${table.name}`)
      const lines = [['case', 'figure', ref, 'here', 'here / there', '']]
      for (const row of selectedRows(table, settings.only)) {
        try {
          const first = await roundsOf(table, row, now, old)
          const suspects = moreOf(first)
          const second = suspects.length > 0 ? await roundsOf(table, row, now, old) : undefined
          const more = second === undefined ? [] : moreOf(second).filter(figure => suspects.includes(figure))
          for (const figure of more) worse.push(`${table.name}/${row.name}: ${figure}`)
          lines.push(...linesOf(row, second ?? first, more))
        } catch (error) {
          const { message } = error as Error
          lines.push([row.name, reasonOf(message), '', '', '', ''])
          if (error instanceof FailedHere) worse.push(`${table.name}/${row.name}: ${reasonOf(message)}`)
        }
      }
      console.log(textTable(lines))
    }
    console.log(`\n${worse.length === 0 ? 'nothing costs more' : `costs more:\n  ${worse.join('\n  ')}`}`)
    return worse.length === 0 ? 0 : 1
  })
}

/** The tree there may lack what a case uses; the tree here may not. */
class FailedHere extends Error {}

async function roundsOf(table: Table, row: Row, here: RunSettings, there: RunSettings): Promise<Rounds> {
  const rounds: Rounds = { old: [], now: [] }
  const runHere = async () => {
    try {
      rounds.now.push(await runRow(table, row, here))
    } catch (error) {
      throw new FailedHere((error as Error).message)
    }
  }
  for (let round = 0; round < here.rounds; round++) {
    if (round % 2 === 0) await runHere()
    rounds.old.push(await runRow(table, row, there))
    if (round % 2 === 1) await runHere()
  }
  return rounds
}

function namesOf({ now }: Rounds): string[] {
  return Object.keys(now[0]!).filter(figure => !Number.isNaN(readFigure(now[0], figure)))
}

function valuesOf({ old, now }: Rounds, figure: string): [before: number[], after: number[]] {
  return [old.map(figures => readFigure(figures, figure)), now.map(figures => readFigure(figures, figure))]
}

function moreOf(rounds: Rounds): string[] {
  if (rounds.now.length < LEAST_ROUNDS) return []
  return namesOf(rounds).filter(figure => isCost(figure) && changeOf(...valuesOf(rounds, figure)) === 'more')
}

function linesOf(row: Row, rounds: Rounds, more: readonly string[]): string[][] {
  return namesOf(rounds).map(figure => {
    const [before, after] = valuesOf(rounds, figure)
    const ratio = spreadOf(after.map((value, at) => value / before[at]!))
    const change = changeOf(before, after)
    const verdict = more.includes(figure) ? 'COSTS MORE' : change === 'none' ? 'no difference' : change
    return [row.name, figure, spreadText(spreadOf(before)), spreadText(spreadOf(after)), spreadText(ratio), verdict]
  })
}

/** A row's process that fails prints where, a caret, and then why. */
function reasonOf(message: string): string {
  const lines = message.split('\n')
  return lines.find(line => /^\w*Error\b/.test(line)) ?? lines[0]!
}
