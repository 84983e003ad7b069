import { figureOf, readFigure, type Spread, type Verdict, wordsOf } from './judge.js'
import { floorOf, type TableResult } from './run-table.js'

/** The figures of a table as lines of cells, first line the heads. */
export function cellsOf(result: TableResult): string[][] {
  const names = [...new Set(result.rows.flatMap(row => row.rounds.flatMap(figures => Object.keys(figures))))]
  const all = result.rows.map(({ row }) => row)
  const ratio = names.includes('ns') && all.some(row => row.floor === true)
  const heads = ['case', ...names, ...(ratio ? ['x floor'] : [])]
  const lines = result.rows.map(({ row, rounds, skipped }) => {
    const kind = row.floor === true ? ' (floor)' : row.peer === true ? ' (peer)' : ''
    const cells = [`${row.name}${kind}`]
    for (const name of names) {
      const spread = figureOf(result, row.name, name)
      const missing = rounds.every(figures => Number.isNaN(readFigure(figures, name)))
      cells.push(skipped ?? (spread === undefined || missing ? '' : spreadText(spread)))
    }
    if (ratio) {
      const floor = floorOf(all, row)
      const times = floor && figureOf(result, row.name, 'ns', floor.name)
      cells.push(times === undefined || Number.isNaN(times.median) ? '' : spreadText(times))
    }
    return cells
  })
  return [heads, ...lines]
}

/** The median, and behind it the lowest and highest round. */
export function spreadText({ median, low, high }: Spread): string {
  if (low === high) return short(median)
  return `${short(median)} (${short(low)}..${short(high)})`
}

export function short(value: number): string {
  if (Number.isNaN(value)) return '-'
  const size = Math.abs(value)
  if (size >= 1000) return String(Math.round(value))
  if (size >= 100) return value.toFixed(0)
  if (size >= 10) return value.toFixed(1)
  return value === 0 ? '0' : value.toFixed(2)
}

export function textTable(lines: readonly (readonly string[])[]): string {
  const widths = lines[0]!.map((_, column) => Math.max(...lines.map(line => line[column]!.length)))
  return lines
    .map(line => `  ${line.map((cell, column) => cell.padEnd(widths[column]!)).join('  ')}`.trimEnd())
    .join('\n')
}

export function verdictText({ target, value, met, close }: Verdict): string {
  return `${met ? 'met   ' : 'MISSED'}  ${wordsOf(target)}: ${spreadText(value)}${close ? ', within the spread' : ''}`
}
