import { readFileSync } from 'node:fs'

/** The rows of the table behind a heading or a marker of the README, as written, without head and ruler. */
export function readmeTable(marker: string): string[][] {
  const text = readFileSync('packages/gateway/README.md', 'utf8')
  const from = text.indexOf(marker)
  if (from === -1) throw new Error(`the README has no ${JSON.stringify(marker)}`)
  const lines = text.slice(from).split('\n')
  const first = lines.findIndex(line => line.startsWith('|'))
  const rows: string[][] = []
  for (let index = first; lines[index]?.startsWith('|'); index++) {
    // A bar inside a cell is written `\|`.
    const cells = lines[index]!.slice(1, -1).split(/(?<!\\)\|/)
    rows.push(cells.map(cell => cell.trim()))
  }
  return rows.slice(2)
}
