import { nodeBinary } from '../../scripts/node-versions.mjs'
import { compareWith } from './compare.js'
import { durationText, estimateSeconds } from './estimate.js'
import { judge, type Verdict } from './judge.js'
import { cellsOf, textTable, verdictText } from './print.js'
import { decideQuickly } from './quick.js'
import { writeReport } from './report.js'
import { RUN_ROW, type RunSettings, runTable, selectedRows, type TableResult } from './run-table.js'
import { describeSetting, majorOf } from './setting.js'
import { allTables } from './tables.js'

const HELP = `npm run bench                     every case
npm run bench -- <regex>          cases whose name matches, with what they are compared with
npm run bench:compare -- <ref>    the packages as they are against those of a git ref (and a <regex>)
npm run bench -- quick [case]     within two minutes: do requests cost more or less than before; \`--against <ref>\`
npm run bench:report              every case, then writes benchmarks/README.md and benchmarks/results.json; with a
                                  <regex> or --node only those tables are measured, and the others kept

--quick        runs each case once and checks its result, measures nothing
--rounds <n>   fresh processes per case, 3 by default
--node <major> another Node: 20, 22, 24, 26
--list         the names of the cases
--no-build     leaves the packages as they are built

The last line says how many targets are met; the exit code is 1 when one is missed or a result is wrong, when a comparison finds
a case that costs more, and when quick finds the tree slower.`

const ROUNDS = 3

/** @returns the exit code */
export async function main(args: readonly string[]): Promise<number> {
  const options = read(args)
  if (options.help) {
    console.log(HELP)
    return 0
  }
  if (options.decide !== undefined) return decideQuickly(options.decide, options.against)
  const tables = await allTables()
  const chosen = tables.filter(table => selectedRows(table, options.only).length > 0)
  if (options.list) {
    for (const table of chosen) {
      for (const row of selectedRows(table, options.only)) console.log(`${table.name}/${row.name}`)
    }
    return 0
  }
  const node = options.node === undefined ? process.execPath : await nodeBinary(options.node)
  if (node === undefined) throw new Error(`there is no Node ${options.node} here`)
  const settings: RunSettings = {
    node,
    rounds: options.rounds,
    quick: options.quick,
    script: RUN_ROW,
    only: options.only,
  }
  const setting = await describeSetting(node)
  console.log(setting.text)
  const planned = chosen.map(table => estimateSeconds(selectedRows(table, options.only), options.rounds))
  let ahead = planned.reduce((sum, seconds) => sum + seconds, 0)
  if (options.ref !== undefined) return compareWith(options.ref, chosen, settings)
  const results: TableResult[] = []
  const verdicts: Verdict[] = []
  let wrong = 0
  for (const [index, table] of chosen.entries()) {
    console.log(
      `\n${table.name}${settings.quick ? '' : `, ${index + 1} of ${chosen.length}, about ${durationText(ahead)} to go`}`,
    )
    ahead -= planned[index]!
    try {
      const result = await runTable(table, settings)
      results.push(result)
      if (settings.quick) {
        for (const { row, skipped } of result.rows) console.log(`  right  ${row.name}${skipped ? `: ${skipped}` : ''}`)
        continue
      }
      console.log(textTable(cellsOf(result)))
      for (const verdict of judge(result, majorOf(setting))) {
        verdicts.push(verdict)
        console.log(`  ${verdictText(verdict)}`)
      }
    } catch (error) {
      wrong++
      console.log(`  WRONG  ${(error as Error).message}`)
    }
  }
  if (options.report) writeReport(setting, results, tables)
  const met = verdicts.filter(verdict => verdict.met).length
  const errors = wrong === 0 ? '' : `, ${wrong} tables with a wrong result`
  if (settings.quick)
    console.log(`\n${results.reduce((sum, { rows }) => sum + rows.length, 0)} cases are right${errors}`)
  else console.log(`\n${met} of ${verdicts.length} targets met${errors}`)
  return met === verdicts.length && wrong === 0 ? 0 : 1
}

interface Options {
  help: boolean
  list: boolean
  quick: boolean
  report: boolean
  rounds: number
  node: number | undefined
  ref: string | undefined
  /** A case that is decided quickly. */
  decide: string | undefined
  against: string | undefined
  only: RegExp | undefined
}

function read(args: readonly string[]): Options {
  const options: Options = {
    help: false,
    list: false,
    quick: false,
    report: false,
    rounds: ROUNDS,
    node: undefined,
    ref: undefined,
    decide: undefined,
    against: undefined,
    only: undefined,
  }
  const rest = [...args]
  if (rest[0] === 'quick') {
    rest.shift()
    options.decide = rest[0] === undefined || rest[0].startsWith('-') ? 'hop' : rest.shift()
  }
  let compare = false
  for (let arg = rest.shift(); arg !== undefined; arg = rest.shift()) {
    if (arg === '--help') options.help = true
    else if (arg === '--list') options.list = true
    else if (arg === '--quick') options.quick = true
    else if (arg === '--report') options.report = true
    else if (arg === '--compare') compare = true
    else if (arg === '--no-build') continue
    else if (arg === '--against') options.against = rest.shift()
    else if (arg === '--rounds') options.rounds = count('--rounds', rest.shift())
    else if (arg === '--node') options.node = count('--node', rest.shift())
    else if (arg.startsWith('-')) throw new Error(`unknown option ${arg}\n\n${HELP}`)
    else if (compare && options.ref === undefined) options.ref = arg
    else options.only = new RegExp(arg)
  }
  if (compare && options.ref === undefined && !options.help) throw new Error(`--compare needs a git ref\n\n${HELP}`)
  return options
}

function count(name: string, text: string | undefined): number {
  const value = Number(text)
  if (Number.isInteger(value) && value >= 1) return value
  throw new Error(`${name} takes a whole number from 1, received ${text}`)
}
