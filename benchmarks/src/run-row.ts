// Runs one row, in a process of its own: `node run-row.js <table> <row> [quick]`. Prints its figures as one line of JSON.
import { measureRow } from './measure.js'
import { tables } from './tables.js'

const [tableName, rowName, mode] = process.argv.slice(2)
const row = tables.find(table => table.name === tableName)?.rows.find(one => one.name === rowName)
if (row === undefined) throw new Error(`there is no case ${tableName}/${rowName}`)
const skipped = row.skip?.()
const figures = skipped === undefined ? await measureRow(row, mode === 'quick') : { skipped }
process.stdout.write(`\n${JSON.stringify({ figures })}\n`, () => process.exit(0))
