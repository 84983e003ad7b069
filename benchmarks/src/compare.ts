import { execFileSync } from 'node:child_process'
import { cpSync, existsSync, lstatSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Table } from './case.js'
import { readFigure, spreadOf } from './judge.js'
import { spreadText, textTable } from './print.js'
import { type RunSettings, runRow, selectedRows } from './run-table.js'

const root = fileURLToPath(new URL('../..', import.meta.url))

/**
 * Runs the same cases against the packages of a git ref and against those here, in turns: here first in one round, there
 * first in the next. A difference inside the spread of the rounds is none.
 *
 * @returns the exit code
 */
export async function compareWith(ref: string, tables: readonly Table[], settings: RunSettings): Promise<number> {
  const tree = mkdtempSync(join(tmpdir(), 'laneway-bench-'))
  try {
    prepareTree(tree, ref)
    const there: RunSettings = { ...settings, script: join(tree, 'benchmarks/dist/run-row.js') }
    for (const table of tables) {
      console.log(`\n${table.name}`)
      const lines = [['case', 'figure', ref, 'here', 'here / there', '']]
      for (const row of selectedRows(table, settings.only))
        lines.push(...(await compareRow(table, row, settings, there)))
      console.log(textTable(lines))
    }
    return 0
  } finally {
    execFileSync('git', ['worktree', 'remove', '--force', tree], { cwd: root, stdio: 'ignore' })
    rmSync(tree, { recursive: true, force: true })
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
    return [[row.name, (error as Error).message.split('\n')[0]!, '', '', '', '']]
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

/** A work tree of the ref with the modules installed here, its own packages built, and the cases of here. */
function prepareTree(tree: string, ref: string): void {
  execFileSync('git', ['worktree', 'add', '--detach', '--force', tree, ref], { cwd: root, stdio: 'ignore' })
  linkModules(root, tree)
  for (const name of readdirSync(join(tree, 'packages'))) {
    const from = join(root, 'packages', name)
    if (existsSync(join(from, 'node_modules'))) linkModules(from, join(tree, 'packages', name))
  }
  execFileSync(process.execPath, [join(tree, 'scripts/build.mjs')], { cwd: tree, stdio: 'inherit' })
  cpSync(join(root, 'benchmarks/dist'), join(tree, 'benchmarks/dist'), { recursive: true })
  cpSync(join(root, 'benchmarks/package.json'), join(tree, 'benchmarks/package.json'))
  if (existsSync(join(root, 'benchmarks/node_modules'))) linkModules(join(root, 'benchmarks'), join(tree, 'benchmarks'))
}

function linkModules(from: string, to: string): void {
  const modules = join(to, 'node_modules')
  mkdirSync(join(modules, '@laneway'), { recursive: true })
  for (const name of readdirSync(join(from, 'node_modules'))) {
    if (name !== '@laneway') symlinkSync(join(from, 'node_modules', name), join(modules, name))
  }
  const own = join(from, 'node_modules/@laneway')
  if (!existsSync(own)) return
  for (const name of readdirSync(own)) {
    const sibling = join(to, 'packages', name)
    if (lstatSync(join(own, name)).isSymbolicLink() && existsSync(sibling))
      symlinkSync(sibling, join(modules, '@laneway', name))
  }
}
