// The packages of an earlier commit, as an application would have installed them.
import { execFileSync, spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { fileURLToPath, pathToFileURL } from 'node:url'

const root = fileURLToPath(new URL('../..', import.meta.url))
const cache = `${root}node_modules/.cache/laneway-compat/`

/** The full hash of a commit; `undefined` when this clone does not have it, as a shallow one. */
export function hashOf(commit) {
  const { status, stdout } = spawnSync('git', ['rev-parse', '--verify', '--quiet', `${commit}^{commit}`], {
    cwd: root,
    encoding: 'utf8',
  })
  return status === 0 ? stdout.trim() : undefined
}

/**
 * Builds the packages of a commit, with the libraries that are installed here. What was built is kept.
 *
 * @returns a folder whose `node_modules` has them
 */
export function olderPacks(hash) {
  const folder = `${cache}${hash}/`
  if (existsSync(folder)) return folder
  const source = `${cache}building-${process.pid}/`
  mkdirSync(source, { recursive: true })
  try {
    const archive = execFileSync('git', ['archive', hash, 'packages', 'scripts', 'tsconfig.base.json', 'LICENSE'], {
      cwd: root,
      maxBuffer: 2 ** 30,
    })
    execFileSync('tar', ['x'], { cwd: source, input: archive })
    for (const name of readdirSync(`${source}packages`)) {
      const from = `${source}packages/${name}`
      const manifest = JSON.parse(readFileSync(`${from}/package.json`, 'utf8'))
      if (manifest.tshy === undefined) continue
      // By its own script, without declarations: they take minutes, and nothing here reads them.
      const build = `await (await import('${pathToFileURL(`${source}scripts/bundle.mjs`)}')).bundle(${JSON.stringify(from)})`
      execFileSync(process.execPath, ['--input-type=module', '-e', build], { cwd: source })
      for (const part of ['package.json', 'dist']) {
        cpSync(`${from}/${part}`, `${source}pack/node_modules/${manifest.name}/${part}`, { recursive: true })
      }
    }
    renameSync(`${source}pack`, folder)
  } finally {
    rmSync(source, { recursive: true, force: true })
  }
  return folder
}
