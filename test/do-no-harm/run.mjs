// `npm run test:do-no-harm`: the tests of other projects, as they are and under the flag. Some hold their tests in their npm
// package: those of the folder ci. Others are given as checkouts, with their dependencies installed; nothing of them is kept here.
import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { installLocked } from '../ecosystem/install.mjs'
import { NO_SUITE, SUITES } from './suites.mjs'

const HELP = `npm run test:do-no-harm -- [options] [checkout]...

Without a checkout, the projects of test/do-no-harm/ci run: their npm packages hold their tests. A checkout is a folder with
the repository of a project (${Object.keys(SUITES).join(', ')})
and its dependencies:
  git clone --depth 1 -b <tag> <repository> <folder> && cd <folder> && npm install

  --short           what CI runs: of each project the files of its calls, as it is and with the flag and a registry
  --only <regex>    test files whose path matches
  --rounds <n>      how often each way (default: 1); a test counts as passed when it passes every time
  --strict          a test that differs in one repetition of three counts too
  --list            every test that does not pass, not only the differences
  --help            this text

Each suite runs as it is, with --import @laneway/register, and with the flag and a registry of other services. A test
whose result differs is told, and its file runs three more times each way: what fails then every time under the flag,
and never without, fails the run.
`
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    only: { type: 'string' },
    rounds: { type: 'string', default: '1' },
    strict: { type: 'boolean', default: false },
    short: { type: 'boolean', default: false },
    list: { type: 'boolean', default: false },
    help: { type: 'boolean', short: 'h', default: false },
  },
})
if (values.help) {
  process.stdout.write(HELP)
  process.exit(0)
}

const register = fileURLToPath(new URL('../../packages/register/dist/esm/index.js', import.meta.url))
const scratch = mkdtempSync(join(tmpdir(), 'laneway-do-no-harm-'))
process.on('exit', () => rmSync(scratch, { recursive: true, force: true }))
const endpoints = join(scratch, 'endpoints.json')
writeFileSync(endpoints, JSON.stringify({ services: { 'sc-other': [{ host: '127.0.0.1', port: 9 }] } }))

const FLAG = { NODE_OPTIONS: `--import=${register}` }
const WAYS = {
  'as it is': {},
  flag: FLAG,
  'flag and registry': { ...FLAG, LANEWAY_ENDPOINTS_FILE: endpoints, LANEWAY_SERVICES: 'sc-other' },
}
// What the flag does alone it does with a registry, too.
if (values.short) delete WAYS.flag

const REPEATS = 3
const SUITE_MS = 600_000
let differences = 0
const seen = new Set()
let passed = 0
const paths = positionals.length > 0 ? positionals.map(path => resolve(path)) : await packaged()
for (const path of paths) await checkout(path)
for (const [name, { repository, absent }] of Object.entries(SUITES)) {
  if (seen.has(name) || positionals.length > 0) continue
  console.log(`n/a ${name}: ${absent}; give a checkout of ${repository}`)
}
if (positionals.length === 0)
  for (const [name, reason] of Object.entries(NO_SUITE)) console.log(`n/a ${name}: ${reason}`)
console.log(`do no harm: ${seen.size} suites, ${differences} differences`)
console.log(`do no harm: ${passed} passed, ${differences} failed`)
process.exitCode = differences === 0 && seen.size > 0 ? 0 : 1

/** The projects whose npm packages hold their tests. */
async function packaged() {
  const folder = fileURLToPath(new URL('./ci/', import.meta.url))
  await installLocked(folder)
  return Object.keys(SUITES)
    .map(name => join(folder, 'node_modules', name))
    .filter(path => existsSync(join(path, 'test')))
}

async function checkout(folder) {
  const { name, version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
  const suite = SUITES[name]
  if (suite === undefined) {
    console.log(`skipped: ${name}, no suite of ours (${Object.keys(SUITES).join(', ')})`)
    return
  }
  seen.add(name)
  const only = values.only === undefined ? undefined : new RegExp(values.only)
  const short = values.short ? suite.short : undefined
  const files = suite.files?.(folder).filter(file => (only?.test(file) ?? true) && (short?.test(file) ?? true))
  const outcomes = {}
  for (const [way, environment] of Object.entries(WAYS)) {
    outcomes[way] = await runs(suite, folder, files, environment, Number(values.rounds))
    console.log(`${name} ${version}, ${way}: ${summary(outcomes[way])}`)
  }
  const { 'as it is': plain, ...flagged } = outcomes
  for (const { results } of Object.values(flagged)) {
    for (const { result } of results.values()) if (result === 'passed') passed++
  }
  for (const [way, outcome] of Object.entries(flagged)) {
    for (const fault of outcome.faults) {
      differences++
      console.log(`! ${name}, ${way}: ${fault}`)
    }
    await compare(name, suite, folder, plain, way, outcome)
  }
  if (values.list) {
    for (const [test, { result }] of plain.results) if (result === 'failed') console.log(`  fails as it is: ${test}`)
  }
}

async function compare(name, suite, folder, plain, way, outcome) {
  const differing = [...new Set([...plain.results.keys(), ...outcome.results.keys()])].filter(
    test => plain.results.get(test)?.result !== outcome.results.get(test)?.result,
  )
  if (differing.length === 0) return
  const again = await repeat(suite, folder, differing, way)
  for (const test of differing) {
    const { before, after } = again.get(test)
    // A test that fails now and then as it is says nothing.
    const ours = before === REPEATS && after < REPEATS && (after === 0 || values.strict)
    if (ours) differences++
    const { result = 'absent', why } = outcome.results.get(test) ?? {}
    console.log(
      `${ours ? '!' : ' '} ${name}, ${way}: ${test}: ${plain.results.get(test)?.result ?? 'absent'} -> ${result}, again: ${before} and ${after} of ${REPEATS} passed`,
    )
    if (ours && why !== undefined) console.log(why.split('\n').slice(0, 12).join('\n').replace(/^/gm, '    '))
  }
}

/** The files with these tests, three more times each way. */
async function repeat(suite, folder, tests, way) {
  const files = suite.files?.(folder).filter(file => tests.some(test => test.startsWith(`${file} > `)))
  const all = files === undefined || files.length === 0 ? suite.files?.(folder) : files
  const counts = new Map(tests.map(test => [test, { before: 0, after: 0 }]))
  for (let round = 0; round < REPEATS; round++) {
    for (const [side, environment] of [
      ['before', {}],
      ['after', WAYS[way]],
    ]) {
      const { results } = await run(suite, folder, all, environment)
      for (const [test, count] of counts) if (results.get(test)?.result === 'passed') count[side]++
    }
  }
  return counts
}

async function runs(suite, folder, files, environment, rounds) {
  const all = await run(suite, folder, files, environment)
  for (let round = 1; round < rounds; round++) {
    const { results, faults } = await run(suite, folder, files, environment)
    for (const fault of faults) all.faults.add(fault)
    for (const [test, one] of results) if (one.result === 'failed') all.results.set(test, one)
  }
  return all
}

/** Some suites listen on ports by chance, and end when one is taken. */
async function run(suite, folder, files, environment) {
  for (let more = REPEATS - 1; ; more--) {
    const { late, results, faults, output } = await runOnce(suite, folder, files, environment)
    if (!late && results.size > 0) return { results, faults }
    const what = late ? `no end within ${SUITE_MS / 60_000} minutes` : 'no results'
    if (late || more === 0) throw new Error(`${what}: ${folder}\n${output}`)
  }
}

async function runOnce(suite, folder, files, environment) {
  const out = join(scratch, 'out')
  rmSync(out, { force: true })
  const options = [suite.environment?.NODE_OPTIONS, environment.NODE_OPTIONS].filter(one => one !== undefined)
  const child = spawn(process.execPath, suite.command(out, files), {
    cwd: folder,
    env: {
      ...process.env,
      ...suite.environment,
      ...environment,
      NODE_OPTIONS: options.join(' '),
      CI: 'true',
      DO_NO_HARM_RESULTS: out,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let stdout = ''
  let stderr = ''
  child.stdout.on('data', chunk => (stdout += chunk))
  child.stderr.on('data', chunk => (stderr += chunk))
  let late = false
  const timer = setTimeout(() => {
    late = true
    child.kill('SIGKILL')
  }, SUITE_MS)
  await new Promise(done => child.on('close', done))
  clearTimeout(timer)
  const written = existsSync(out) ? readFileSync(out, 'utf8') : ''
  const faults = new Set(`${stdout}\n${stderr}\n${written}`.match(/[^\s":]+ had a fault; [^\n"]*/g))
  const results = suite.read({ out, stdout })
  return { late, results, faults, output: `${stdout.slice(-2000)}\n${stderr.slice(-2000)}` }
}

function summary({ results }) {
  const count = wanted => [...results.values()].filter(({ result }) => result === wanted).length
  return `${count('passed')} passed, ${count('failed')} failed, ${count('skipped')} skipped`
}
