// Builds the packages, dependencies first, and only those whose sources (or whose dependencies) have changed.
// `node scripts/build.mjs` builds all, `node scripts/build.mjs core undici` these and what they need. tshy makes the
// declarations, which take nine tenths of the time and are made with `--types` only, and esbuild what runs.
import { spawn } from 'node:child_process'
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { bundle, foldersInside } from './bundle.mjs'
import { digest } from './digest.mjs'
import { withLock } from './lock.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))
const PARALLEL = 2

/** The published packages: name -> the names of the sibling packages it depends on. */
export function packages() {
  const found = new Map()
  for (const name of readdirSync(`${root}packages`).sort()) {
    const file = `${root}packages/${name}/package.json`
    if (!existsSync(file)) continue
    const manifest = JSON.parse(readFileSync(file, 'utf8'))
    if (manifest.tshy === undefined) continue
    const all = { ...manifest.dependencies, ...manifest.peerDependencies }
    const needs = Object.keys(all).filter(key => key.startsWith('@laneway/'))
    found.set(
      name,
      needs.map(key => key.slice('@laneway/'.length)),
    )
  }
  return found
}

/**
 * Builds the named packages and what they need; one process at a time.
 *
 * @param {string[]} names - none: all packages
 * @param {{ types?: boolean }} [options] - `types`: with declarations
 */
export function buildAll(names, { types = false } = {}) {
  return withLock(`${root}node_modules/.cache/laneway-build.lock`, () => build(names, types))
}

async function build(names, types) {
  const all = packages()
  const done = new Map()
  const built = []
  const running = new Set()
  const once = name => {
    if (!done.has(name)) done.set(name, run(name))
    return done.get(name)
  }
  async function run(name) {
    const below = await Promise.all(all.get(name).map(once))
    const folder = `${root}packages/${name}`
    // npm packs a LICENSE beside package.json, whatever `files` says. There is one in the repository; here are its copies.
    copyFileSync(`${root}LICENSE`, `${folder}/LICENSE`)
    const sources = digest(sourcesOf(folder))
    const work = types ? tasks(folder, sources, below) : tasks(folder, sources).slice(-1)
    const first = work.findIndex(({ stamp, wanted }) => !existsSync(stamp) || readFileSync(stamp, 'utf8') !== wanted)
    if (first !== -1 || !existsSync(`${folder}/dist/esm/index.js`)) {
      while (running.size >= PARALLEL) await Promise.race(running)
      const job = inOrder(first === -1 ? work : work.slice(first))
      running.add(job)
      try {
        await job
      } finally {
        running.delete(job)
      }
      built.push(name)
    }
    // What a package above was compiled against.
    return types ? digest([`${folder}/dist`]) : ''
  }
  await Promise.all((names.length > 0 ? names : [...all.keys()]).map(once))
  if (built.length > 0) console.log(`built ${built.join(', ')}`)
}

/** The steps of a build. tshy empties `dist`, so that the bundle is made after it, always. */
function tasks(folder, sources, below = []) {
  return [
    { stamp: `${folder}/.tshy/.built`, wanted: sources + below.join(''), run: () => tshy(folder) },
    { stamp: `${folder}/.tshy/.bundled`, wanted: sources, run: () => bundle(folder) },
  ]
}

async function inOrder(work) {
  for (const { stamp, wanted, run } of work) {
    await run()
    mkdirSync(dirname(stamp), { recursive: true })
    writeFileSync(stamp, wanted)
  }
}

/** What a build depends on, besides the packages below. */
function sourcesOf(folder) {
  const page = existsSync(`${folder}/page`) ? [`${folder}/page`] : []
  const inside = foldersInside(folder).map(one => `${one}/src`)
  const settings = [`${folder}/package.json`, `${root}tsconfig.base.json`, `${root}scripts/bundle.mjs`]
  return [`${folder}/src`, ...page, ...inside, ...settings]
}

function tshy(folder) {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [`${root}node_modules/tshy/dist/esm/index.js`], { cwd: folder })
    let output = ''
    child.stdout.on('data', chunk => (output += chunk))
    child.stderr.on('data', chunk => (output += chunk))
    child.on('error', reject)
    child.on('close', code => {
      if (code === 0) resolve()
      else reject(new Error(`${folder}: tshy ended with ${code}\n${output}`))
    })
  })
}

/** The packages named on the command line, and whether they get declarations. */
export function buildArguments() {
  const { values, positionals } = parseArgs({
    options: { types: { type: 'boolean', default: false } },
    allowPositionals: true,
  })
  return [positionals, values]
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await buildAll(...buildArguments())
