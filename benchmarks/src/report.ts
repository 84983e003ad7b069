import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Figures, Table } from './case.js'
import { judge, wordsOf } from './judge.js'
import { cellsOf, spreadText } from './print.js'
import type { TableResult } from './run-table.js'
import { majorOf, type Setting } from './setting.js'

const BEGIN = '<!-- results: begin -->'
const END = '<!-- results: end -->'
const README = fileURLToPath(new URL('../README.md', import.meta.url))
const RESULTS = fileURLToPath(new URL('../results.json', import.meta.url))

/** A table as it was measured last on one Node. */
export interface StoredTable {
  readonly name: string
  readonly setting: Setting
  readonly rows: readonly { readonly name: string; readonly rounds: readonly Figures[]; readonly skipped?: string }[]
}

/**
 * Puts what was measured into the JSON file, in place of what the same tables gave before on the same Node, and all of
 * that file between the markers of the README.
 */
export function writeReport(setting: Setting, results: readonly TableResult[], tables: readonly Table[]): void {
  const before: StoredTable[] = existsSync(RESULTS) ? JSON.parse(readFileSync(RESULTS, 'utf8')) : []
  const stored = merge(
    before,
    results.map(({ table, rows }) => ({
      name: table.name,
      setting,
      rows: rows.map(({ row, rounds, skipped }) => ({
        name: row.name,
        rounds,
        ...(skipped !== undefined && { skipped }),
      })),
    })),
  )
  writeFileSync(RESULTS, `${JSON.stringify(stored, null, 1)}\n`)
  writeFileSync(README, withResults(readFileSync(README, 'utf8'), markdown(stored, tables)))
}

export function merge(before: readonly StoredTable[], now: readonly StoredTable[]): StoredTable[] {
  const keyOf = ({ name, setting }: StoredTable): string => `${name} ${majorOf(setting)}`
  const all = new Map([...before, ...now].map(one => [keyOf(one), one]))
  return [...all.values()].sort((a, b) => majorOf(a.setting) - majorOf(b.setting))
}

/** @throws Error when the text has no markers */
export function withResults(readme: string, results: string): string {
  const begin = readme.indexOf(BEGIN)
  const end = readme.indexOf(END)
  if (begin === -1 || end < begin) throw new Error(`there are no markers ${BEGIN} … ${END}`)
  return `${readme.slice(0, begin + BEGIN.length)}\n${results}\n${readme.slice(end)}`
}

/** The tables in their order, each with one part per Node. */
export function markdown(stored: readonly StoredTable[], tables: readonly Table[]): string {
  const lines: string[] = ['']
  let met = 0
  let targets = 0
  for (const table of tables) {
    const runs = stored.filter(one => one.name === table.name)
    if (runs.length === 0) continue
    lines.push(`### ${table.name}`, '', table.about, '')
    for (const { setting, rows } of runs) {
      const result = restore(table, rows)
      const [heads, ...cells] = cellsOf(result)
      lines.push(setting.text, '')
      lines.push(rowOf(heads!), rowOf(heads!.map((_, at) => (at === 0 ? '---' : '---:'))), ...cells.map(rowOf), '')
      const verdicts = judge(result, majorOf(setting))
      for (const { target, value, met, close } of verdicts) {
        const verdict = met ? 'met' : '**missed**'
        lines.push(`- ${verdict}: ${wordsOf(target)}, is ${spreadText(value)}${close ? ' (within the spread)' : ''}`)
      }
      if (verdicts.length > 0) lines.push('')
      met += verdicts.filter(verdict => verdict.met).length
      targets += verdicts.length
    }
  }
  lines.push(`${met} of ${targets} targets met.`, '')
  return lines.join('\n')
}

/** Rows that exist no more are left out. */
function restore(table: Table, rows: StoredTable['rows']): TableResult {
  return {
    table,
    rows: rows.flatMap(({ name, ...figures }) => {
      const row = table.rows.find(one => one.name === name)
      // JSON has no NaN.
      const rounds = figures.rounds.map(round =>
        Object.fromEntries(Object.entries(round).map(([key, value]) => [key, value ?? Number.NaN])),
      )
      return row === undefined ? [] : [{ row, ...figures, rounds }]
    }),
  }
}

function rowOf(cells: readonly string[]): string {
  return `| ${cells.map(cell => cell.replaceAll('|', '\\|')).join(' | ')} |`
}
