// `npm run test:mutations`: applies each patch of this folder to a copy of the repository and runs the tests that the
// patch names in its first lines. A mutation that no test notices fails the run.
import { spawn, spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const HELP = `npm run test:mutations -- [regex]

Each *.patch begins with lines "# mutation: what is broken" and "# test: file" (one or more). Prints mutation, the first
failing test, and whether it was caught; ends with 1 when one was not.
`
if (process.argv.includes('--help')) {
  process.stdout.write(HELP)
  process.exit(0)
}
const here = dirname(fileURLToPath(import.meta.url))
const root = join(here, '..', '..')
const pattern = new RegExp(process.argv[2] ?? '')
const PARALLEL = 2
const LIMIT_MS = 300_000

const patches = readdirSync(here)
  .filter(name => name.endsWith('.patch') && pattern.test(name))
  .sort()
  .map(name => {
    const text = readFileSync(join(here, name), 'utf8')
    const tests = [...text.matchAll(/^# test: (.+)$/gm)].map(match => match[1].trim())
    const mutation = /^# mutation: (.+)$/m.exec(text)?.[1]
    if (tests.length === 0 || mutation === undefined)
      throw new Error(`${name} lacks its "# mutation:" or "# test:" line`)
    return { name, tests, mutation }
  })

const started = Date.now()
const copies = mkdtempSync(join(tmpdir(), 'laneway-mutations-'))
const files = spawnSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], {
  cwd: root,
  encoding: 'utf8',
})
  .stdout.split('\n')
  .filter(file => file !== '' && existsSync(join(root, file)))
const results = { caught: 0, missed: 0 }
const sound = new Map()
const queue = [...patches]
process.on('exit', () => rmSync(copies, { recursive: true, force: true }))
await Promise.all(Array.from({ length: PARALLEL }, (_, index) => work(join(copies, String(index)))))
const seconds = Math.round((Date.now() - started) / 1000)
console.log(`mutations: ${results.caught} passed, ${results.missed} failed (${seconds} s)`)
process.exitCode = results.missed === 0 && patches.length > 0 ? 0 : 1

async function work(copy) {
  makeCopy(copy)
  for (let patch = queue.shift(); patch !== undefined; patch = queue.shift()) {
    const verdict = await tryPatch(copy, patch)
    results[verdict.caught ? 'caught' : 'missed']++
    console.log(`${verdict.caught ? 'caught' : 'MISSED'}  ${patch.mutation}\n        ${verdict.why}`)
  }
}

function makeCopy(copy) {
  for (const file of files) {
    mkdirSync(dirname(join(copy, file)), { recursive: true })
    cpSync(join(root, file), join(copy, file))
  }
  linkModules(join(root, 'node_modules'), join(copy, 'node_modules'), copy)
  for (const folder of ['packages', 'examples']) {
    for (const name of readdirSync(join(copy, folder))) {
      const modules = join(root, folder, name, 'node_modules')
      if (existsSync(modules)) linkModules(modules, join(copy, folder, name, 'node_modules'), copy)
    }
  }
}

/** Dependencies are shared with the original, our own packages are those of the copy. */
function linkModules(from, to, copy) {
  mkdirSync(join(to, '@laneway'), { recursive: true })
  for (const name of readdirSync(from)) {
    if (name !== '@laneway') symlinkSync(join(from, name), join(to, name))
  }
  for (const name of readdirSync(join(copy, 'packages'))) {
    symlinkSync(join(copy, 'packages', name), join(to, '@laneway', name))
  }
}

async function tryPatch(copy, { name, tests }) {
  // A test that fails without the mutation, too, proves nothing.
  for (const test of tests) {
    if (!sound.has(test)) sound.set(test, await runTests(copy, [test]))
    const before = sound.get(test)
    if (before.failed) return { caught: false, why: `${test} fails without the mutation: ${before.why}` }
  }
  const patch = join(here, name)
  const applied = git(copy, ['apply', patch])
  if (applied.status !== 0) return { caught: false, why: `the patch does not apply: ${applied.stderr.trim()}` }
  const { failed, why } = await runTests(copy, tests)
  git(copy, ['apply', '-R', patch])
  return failed ? { caught: true, why } : { caught: false, why: `all of ${tests.join(', ')} passed` }
}

function git(cwd, args) {
  // The copy is no repository: patches are applied to plain files.
  return spawnSync('git', args, { cwd, encoding: 'utf8', env: { ...process.env, GIT_DIR: join(cwd, '.none') } })
}

async function runTests(copy, tests) {
  for (const test of tests) {
    const { failed, why } = await runTest(copy, test)
    if (failed) return { failed, why }
  }
  return { failed: false, why: '' }
}

function runTest(copy, test) {
  return new Promise(resolve => {
    const args = ['--import=tap', '--import=tsx', '--conditions=@laneway/source', test]
    const env = { ...process.env, TAP_BAIL: '1', TAP_TIMEOUT: '0' }
    const child = spawn(process.execPath, args, { cwd: copy, env })
    const timer = setTimeout(() => child.kill('SIGKILL'), LIMIT_MS)
    let output = ''
    child.stdout.on('data', chunk => (output += chunk))
    child.stderr.on('data', chunk => (output += chunk))
    child.on('close', code => {
      clearTimeout(timer)
      resolve({ failed: code !== 0, why: `${test} > ${code === null ? 'no end in time' : firstFailure(output)}` })
    })
  })
}

/** The names of the test that failed first. */
function firstFailure(output) {
  const lines = output.split('\n')
  const at = lines.findIndex(line => /^\s*not ok /.test(line))
  if (at === -1) return output.slice(-300)
  const names = []
  let depth = Number.POSITIVE_INFINITY
  for (let index = at; index >= 0; index--) {
    const subtest = /^(\s*)# Subtest: (.+)$/.exec(lines[index])
    if (subtest === null || subtest[1].length >= depth) continue
    depth = subtest[1].length
    names.unshift(subtest[2])
  }
  return [...names, lines[at].trim()].join(' > ')
}
