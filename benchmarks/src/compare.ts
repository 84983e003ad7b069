import { execFileSync } from 'node:child_process'
import {
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import type { Table } from './case.js'
import { readFigure, spreadOf } from './judge.js'
import { spreadText, textTable } from './print.js'
import { type RunSettings, runRow, selectedRows } from './run-table.js'

const root = fileURLToPath(new URL('../..', import.meta.url))

/**
 * Runs the same cases against the packages of a git ref and against those here, in turns: here first in one round, there
 * first in the next. Both are built alike, in folders of their own. A difference inside the spread of the rounds is none.
 *
 * @returns the exit code
 */
export async function compareWith(ref: string, tables: readonly Table[], settings: RunSettings): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), 'laneway-bench-'))
  try {
    const prepared = [prepareTree(join(folder, 'here'), undefined), prepareTree(join(folder, 'there'), ref)] as const
    // When one fails, the other still writes into the folder that goes.
    await Promise.allSettled(prepared)
    const [here, there] = await Promise.all(prepared)
    for (const table of tables) {
      console.log(`\n${table.name}`)
      const lines = [['case', 'figure', ref, 'here', 'here / there', '']]
      for (const row of selectedRows(table, settings.only))
        lines.push(...(await compareRow(table, row, { ...settings, script: here }, { ...settings, script: there })))
      console.log(textTable(lines))
    }
    return 0
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

async function compareRow(
  table: Table,
  row: Table['rows'][number],
  here: RunSettings,
  there: RunSettings,
): Promise<string[][]> {
  const old: Awaited<ReturnType<typeof runRow>>[] = []
  const now: typeof old = []
  try {
    for (let round = 0; round < here.rounds; round++) {
      if (round % 2 === 0) now.push(await runRow(table, row, here))
      old.push(await runRow(table, row, there))
      if (round % 2 === 1) now.push(await runRow(table, row, here))
    }
  } catch (error) {
    return [[row.name, reasonOf(error as Error), '', '', '', '']]
  }
  return Object.keys(now[0]!)
    .filter(figure => !Number.isNaN(readFigure(now[0], figure)))
    .map(figure => {
      const before = old.map(figures => readFigure(figures, figure))
      const after = now.map(figures => readFigure(figures, figure))
      const ratio = spreadOf(after.map((value, at) => value / before[at]!))
      const verdict = ratio.low > 1 ? 'more' : ratio.high < 1 ? 'less' : 'no difference'
      return [row.name, figure, spreadText(spreadOf(before)), spreadText(spreadOf(after)), spreadText(ratio), verdict]
    })
}

/** A row's process that fails prints where, a caret, and then why. */
function reasonOf({ message }: Error): string {
  const lines = message.split('\n')
  return lines.find(line => /^\w*Error\b/.test(line)) ?? lines[0]!
}

/**
 * The packages of a ref, or as they are here, beside the modules and the cases of here.
 *
 * @returns the script that runs a row against them
 */
async function prepareTree(tree: string, ref: string | undefined): Promise<string> {
  mkdirSync(tree)
  if (ref === undefined) {
    for (const name of readdirSync(join(root, 'packages'))) {
      for (const part of ['src', 'package.json']) {
        const from = join(root, 'packages', name, part)
        if (existsSync(from)) cpSync(from, join(tree, 'packages', name, part), { recursive: true })
      }
    }
  } else {
    const env = { ...process.env, GIT_INDEX_FILE: join(tree, 'index') }
    execFileSync('git', ['read-tree', '--prefix=packages/', `${ref}:packages`], { cwd: root, env })
    execFileSync('git', ['checkout-index', '--all', `--prefix=${tree}/`], { cwd: root, env })
  }
  linkModules(root, tree)
  await Promise.all(readdirSync(join(tree, 'packages')).map(name => buildPackage(tree, name)))
  cpSync(join(root, 'benchmarks/dist'), join(tree, 'benchmarks/dist'), { recursive: true })
  cpSync(join(root, 'benchmarks/package.json'), join(tree, 'benchmarks/package.json'))
  if (existsSync(join(root, 'benchmarks/node_modules')))
    linkModules(join(root, 'benchmarks'), join(tree, 'benchmarks'), tree)
  return join(tree, 'benchmarks/dist/run-row.js')
}

async function buildPackage(tree: string, name: string): Promise<void> {
  const folder = join(tree, 'packages', name)
  if (!existsSync(join(folder, 'package.json'))) return
  const { tshy } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as {
    tshy?: { exports?: Record<string, string> }
  }
  const sources = Object.values(tshy?.exports ?? {}).filter(source => source.endsWith('.ts'))
  if (existsSync(join(root, 'packages', name, 'node_modules'))) linkModules(join(root, 'packages', name), folder, tree)
  if (sources.length === 0) return
  await build({
    entryPoints: sources.map(source => join(folder, source)),
    outdir: join(folder, 'dist/esm'),
    outbase: join(folder, 'src'),
    bundle: true,
    packages: 'external',
    platform: 'node',
    format: 'esm',
    target: 'es2022',
    tsconfigRaw: '{}',
    logLevel: 'error',
  })
}

/** @param tree - whose packages take the place of those here */
function linkModules(from: string, to: string, tree = to): void {
  const modules = join(to, 'node_modules')
  mkdirSync(join(modules, '@laneway'), { recursive: true })
  for (const name of readdirSync(join(from, 'node_modules'))) {
    if (name !== '@laneway') symlinkSync(join(from, 'node_modules', name), join(modules, name))
  }
  const own = join(from, 'node_modules/@laneway')
  if (!existsSync(own)) return
  for (const name of readdirSync(own)) {
    const sibling = join(tree, 'packages', name)
    if (lstatSync(join(own, name)).isSymbolicLink() && existsSync(sibling))
      symlinkSync(sibling, join(modules, '@laneway', name))
  }
}
