// The table, and whether a row that loses lanes by design is one that the README of register names.
import { readFileSync } from 'node:fs'

const README = new URL('../../packages/register/README.md', import.meta.url)
const COUNTS = ['ok', 'wrong', 'lost', 'leaked', 'doubled', 'changed', 'failed']

/** The cells of the first column of every table in the README. */
function formsOfReadme() {
  const lines = readFileSync(README, 'utf8').split('\n')
  return lines.filter(line => line.startsWith('|')).map(line => line.toLowerCase())
}

/** Adds `passed` to a result. `lost` is allowed where the row says which form it is, and the README has that form. */
export function decide(result, row, forms = formsOfReadme()) {
  const { wrong, lost, leaked, doubled, changed, failed } = result
  const named = row.lost !== undefined && forms.some(line => line.includes(row.lost.toLowerCase()))
  if (lost > 0 && row.lost !== undefined && !named) {
    result.why.push(
      `the row says that "${row.lost}" is lost by design, and no table of packages/register/README.md does`,
    )
  }
  result.passed = wrong + leaked + doubled + changed + failed === 0 && (lost === 0 || named)
  return result
}

export function header() {
  return `${'library'.padEnd(28)}${'version'.padEnd(11)}${'way'.padEnd(10)}${COUNTS.map(name => name.padStart(8)).join('')}  what it does`
}

export function line({ library, version, way, use, result, reason }) {
  const head = `${library.padEnd(28)}${version.padEnd(11)}${way.padEnd(10)}`
  if (reason !== undefined) return `${head}     n/a  ${reason}`
  // Plain Node knows no lanes.
  const shown = way === 'plain' ? ['doubled', 'failed'] : COUNTS
  const numbers = way === 'plain' ? { ...result, ok: result.served } : result
  const cells = COUNTS.map(name =>
    (name === 'ok' || shown.includes(name) ? String(numbers[name]) : '-').padStart(8),
  ).join('')
  return `${head}${cells}  ${use}${result.passed ? '' : '  FAILED'}`
}
