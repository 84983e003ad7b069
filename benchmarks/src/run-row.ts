// Runs one row, in a process of its own: `node run-row.js <table> <row>`. Prints its figures as one line of JSON. With
// `quick` as third argument it runs several rows, one a line, and measures nothing.
import type { Figures, Row } from './case.js'
import { measureRow } from './measure.js'
import { tableNamed } from './tables.js'

const [tableName, rowNames = '', mode] = process.argv.slice(2)
const table = await tableNamed(tableName!)

async function run(rowName: string): Promise<Figures | { skipped: string }> {
  const row: Row | undefined = table.rows.find(one => one.name === rowName)
  if (row === undefined) throw new Error(`there is no case ${tableName}/${rowName}`)
  const skipped = row.skip?.()
  if (skipped !== undefined) return { skipped }
  try {
    return await measureRow(row, mode === 'quick')
  } catch (error) {
    throw new Error(`${tableName}/${rowName}`, { cause: error })
  }
}

const figures: (Figures | { skipped: string })[] = []
for (const rowName of rowNames.split('\n')) figures.push(await run(rowName))
process.stdout.write(`\n${JSON.stringify({ figures })}\n`, () => process.exit(0))
