import { execFile } from 'node:child_process'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Figures, Row, Table } from './case.js'

const ROW_TIMEOUT_MS = 180_000
/** A row may take so many times its estimate on a busy machine. */
const BUSY = 20
const NODE_ARGS = ['--expose-gc', '--max-semi-space-size=256', '--min-semi-space-size=64']

/** Where and how rows are run. */
export interface RunSettings {
  /** Node binary. */
  readonly node: string
  readonly rounds: number
  /** Prove that each row runs and is right, measure nothing. */
  readonly quick: boolean
  /** The compiled benchmarks; another folder runs them against the packages beside it. */
  readonly script: string
  readonly only: RegExp | undefined
}

/** Figures of one row, round by round. */
export interface RowResult {
  readonly row: Row
  readonly rounds: readonly Figures[]
  readonly skipped?: string
}

export interface TableResult {
  readonly table: Table
  readonly rows: readonly RowResult[]
}

export const RUN_ROW = fileURLToPath(new URL('run-row.js', import.meta.url))

/** The rows of a table that a pattern asks for; those that targets compare them with come along. */
export function selectedRows(table: Table, only: RegExp | undefined): Row[] {
  if (only === undefined) return [...table.rows]
  const wanted = new Set(table.rows.filter(row => only.test(`${table.name}/${row.name}`)).map(row => row.name))
  if (wanted.size === 0) return []
  for (const target of table.targets) if (wanted.has(target.row) && target.per !== undefined) wanted.add(target.per)
  for (const row of table.rows) if (wanted.has(row.name)) wanted.add(floorOf(table.rows, row)?.name ?? row.name)
  return table.rows.filter(row => wanted.has(row.name))
}

/** The floor of a row: the one whose name begins alike (`10k/…`), or the only one of the table. */
export function floorOf(rows: readonly Row[], row: Row): Row | undefined {
  const floors = rows.filter(one => one.floor === true)
  const kind = row.name.split('/', 1)[0]
  return floors.find(floor => floor.name.split('/', 1)[0] === kind) ?? (floors.length === 1 ? floors[0] : undefined)
}

/**
 * Runs each row in fresh processes. Every other round goes backwards, so that what changes on the machine meanwhile does
 * not always meet the same rows.
 *
 * @throws Error when a row fails or gives a wrong result
 */
export async function runTable(table: Table, settings: RunSettings): Promise<TableResult> {
  const rows = selectedRows(table, settings.only)
  const figures = new Map<Row, Figures[]>(rows.map(row => [row, []]))
  const skipped = new Map<Row, string>()
  const note = (row: Row, result: Figures): void => {
    if (typeof result['skipped'] === 'string') skipped.set(row, result['skipped'])
    else figures.get(row)!.push(result)
  }
  if (settings.quick) {
    const results = await runRows(table, rows, settings)
    for (const [at, row] of rows.entries()) note(row, results[at]!)
  }
  const rounds = settings.quick ? 0 : settings.rounds
  for (let round = 0; round < rounds; round++) {
    for (const row of round % 2 === 0 ? rows : rows.toReversed()) {
      if (round >= (row.rounds ?? rounds) || skipped.has(row)) continue
      note(row, await runRow(table, row, settings))
    }
  }
  return {
    table,
    rows: rows.map(row => {
      const reason = skipped.get(row)
      return { row, rounds: figures.get(row)!, ...(reason !== undefined && { skipped: reason }) }
    }),
  }
}

/** One process, one row. */
export async function runRow(table: Table, row: Row, settings: RunSettings): Promise<Figures> {
  return (await runRows(table, [row], settings))[0]!
}

/** One process, several rows: only to see that they run, since each changes what the next is measured in. */
function runRows(table: Table, rows: readonly Row[], settings: RunSettings): Promise<Figures[]> {
  const names = rows.map(row => row.name).join('\n')
  const args = [...NODE_ARGS, settings.script, table.name, names, ...(settings.quick ? ['quick'] : [])]
  const estimated = rows.reduce((sum, { seconds = 0 }) => sum + seconds * 1000, 0)
  const timeout = Math.max(ROW_TIMEOUT_MS, settings.quick ? 0 : BUSY * estimated)
  return new Promise((resolve, reject) => {
    // A preload in NODE_OPTIONS is found from the folder of the process, so each tree gets its own.
    const options = { timeout, maxBuffer: 1 << 26, cwd: dirname(settings.script) }
    execFile(settings.node, args, options, (error, stdout, stderr) => {
      const line = stdout.trim().split('\n').at(-1) ?? ''
      if (error === null && line.startsWith('{')) resolve(JSON.parse(line).figures)
      else reject(new Error(`${table.name}: ${stderr.trim() || error?.message || 'no figures'}`))
    })
  })
}
