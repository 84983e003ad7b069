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

const root = fileURLToPath(new URL('../..', import.meta.url))

/**
 * Builds the packages as they are and those of a git ref, alike, in folders of their own, which go when the work ends.
 *
 * @param work - gets the folder of the compiled benchmarks in each tree
 */
export async function withTrees<T>(ref: string, work: (here: string, there: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'laneway-bench-'))
  try {
    const prepared = [prepareTree(join(folder, 'here'), undefined), prepareTree(join(folder, 'there'), ref)] as const
    // When one fails, the other still writes into the folder that goes.
    await Promise.allSettled(prepared)
    return await work(...(await Promise.all(prepared)))
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/**
 * The packages of a ref, or as they are here, beside the modules and the cases of here.
 *
 * @returns the compiled benchmarks in it
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
  return join(tree, 'benchmarks/dist')
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
