import { stripVTControlCharacters } from 'node:util'

/** Aligns rows in columns, two spaces between; what is painted is measured without its paint. */
export function tableOf(rows: readonly (readonly string[])[]): string {
  const widths: number[] = []
  for (const row of rows) {
    for (const [index, cell] of row.entries()) widths[index] = Math.max(widths[index] ?? 0, widthOf(cell))
  }
  return rows
    .map(
      row =>
        `${row
          .map((cell, index) => pad(cell, widths[index]!))
          .join('  ')
          .trimEnd()}\n`,
    )
    .join('')
}

function pad(cell: string, width: number): string {
  return cell + ' '.repeat(width - widthOf(cell))
}

function widthOf(text: string): number {
  return stripVTControlCharacters(text).length
}

/** `350 ms`, `12 s`, `3 min`, `2 h` */
export function ageText(ms: number | undefined): string {
  if (ms === undefined) return '-'
  if (ms < 1000) return '<1 s'
  if (ms < 120_000) return `${Math.floor(ms / 1000)} s`
  if (ms < 7_200_000) return `${Math.floor(ms / 60_000)} min`
  return `${Math.floor(ms / 3_600_000)} h`
}

/** What a registry says is printed on one line, without control characters. */
export function plain(text: string): string {
  return text.replace(/\p{Cc}/gu, '?')
}
