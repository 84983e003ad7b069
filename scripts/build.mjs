// Builds the packages with tshy, dependencies first, and only those whose sources (or whose dependencies) have changed.
// `node scripts/build.mjs` builds all, `node scripts/build.mjs core undici` these and what they need.
import { spawn } from 'node:child_process'
import { copyFileSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { bundle } from './bundle.mjs'
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

/** Builds the named packages and what they need; one process at a time. */
export function buildAll(only) {
  return withLock(`${root}node_modules/.cache/laneway-build.lock`, () => build(only))
}

async function build(only) {
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
    const stamp = `${folder}/.tshy/.built`
    const wanted = digest(sourcesOf(folder)) + below.join('')
    const fresh =
      existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted && existsSync(`${folder}/dist/esm/index.js`)
    if (!fresh) {
      while (running.size >= PARALLEL) await Promise.race(running)
      const job = tshy(folder).then(() => bundle(folder))
      running.add(job)
      try {
        await job
      } finally {
        running.delete(job)
      }
      writeFileSync(stamp, digest(sourcesOf(folder)) + below.join(''))
      built.push(name)
    }
    return digest([`${folder}/dist`])
  }
  await Promise.all((only ?? [...all.keys()]).map(once))
  if (built.length > 0) console.log(`built ${built.join(', ')}`)
}

/** What a build depends on, besides the packages below. */
function sourcesOf(folder) {
  return [`${folder}/src`, `${folder}/package.json`, `${root}tsconfig.base.json`, `${root}scripts/bundle.mjs`]
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

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const names = process.argv.slice(2)
  await buildAll(names.length > 0 ? names : undefined)
}
