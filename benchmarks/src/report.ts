import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { type Verdict, wordsOf } from './judge.js'
import { cellsOf, spreadText } from './print.js'
import type { TableResult } from './run-table.js'
import type { Setting } from './setting.js'

const BEGIN = '<!-- results: begin -->'
const END = '<!-- results: end -->'
const README = fileURLToPath(new URL('../README.md', import.meta.url))
const RESULTS = fileURLToPath(new URL('../results.json', import.meta.url))

/** Puts the tables between the markers of the README, and everything that was measured into a JSON file beside it. */
export function writeReport(setting: Setting, results: readonly TableResult[], verdicts: readonly Verdict[]): void {
  const readme = readFileSync(README, 'utf8')
  const begin = readme.indexOf(BEGIN)
  const end = readme.indexOf(END)
  if (begin === -1 || end < begin) throw new Error(`${README} has no markers ${BEGIN} … ${END}`)
  const text = `${readme.slice(0, begin + BEGIN.length)}\n${markdown(setting, results, verdicts)}\n${readme.slice(end)}`
  writeFileSync(README, text)
  const tables = results.map(({ table, rows }) => ({
    name: table.name,
    rows: rows.map(({ row, rounds, skipped }) => ({ name: row.name, rounds, skipped })),
  }))
  const { text: _text, ...where } = setting
  const targets = verdicts.map(({ target, value, met, close }) => ({ ...target, value, met, close }))
  writeFileSync(RESULTS, `${JSON.stringify({ setting: where, tables, targets }, null, 1)}\n`)
}

export function markdown(setting: Setting, results: readonly TableResult[], verdicts: readonly Verdict[]): string {
  const lines = ['', setting.text, '']
  for (const result of results) {
    lines.push(`### ${result.table.name}`, '', result.table.about, '')
    const [heads, ...rows] = cellsOf(result)
    lines.push(row(heads!), row(heads!.map((_, at) => (at === 0 ? '---' : '---:'))), ...rows.map(row), '')
    const own = verdicts.filter(({ target }) => result.table.targets.includes(target))
    for (const { target, value, met, close } of own) {
      lines.push(
        `- ${met ? 'met' : '**missed**'}: ${wordsOf(target)}, is ${spreadText(value)}${close ? ' (within the spread)' : ''}`,
      )
    }
    if (own.length > 0) lines.push('')
  }
  const met = verdicts.filter(verdict => verdict.met).length
  lines.push(`${met} of ${verdicts.length} targets met.`, '')
  return lines.join('\n')
}

function row(cells: readonly string[]): string {
  return `| ${cells.map(cell => cell.replaceAll('|', '\\|')).join(' | ')} |`
}
