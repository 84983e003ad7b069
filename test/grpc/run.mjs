// Lanes through real gRPC libraries: every stack, every kind of call, several versions of Node and of grpc-js.
//
//   npm run test:grpc                                100 calls a cell
//   npm run test:grpc -- --full                      2,000 calls a cell
//   npm run test:grpc -- --full --only=cells --node=20   a part of that: the cells of one Node
//   npm run test:grpc -- --ci                        40 calls a cell on Node 20 and 24, tests with the oldest and newest grpc-js
//   npm run test:grpc -- --stack=nest --node=22      some of it
//
// A cell is right when no call was wrong, lost, doubled or failed. Each has a control, which has to be wrong: plain clients
// under a hook that reads the lane where http2 sends, or, for connect, a server that reads no lane.
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { nodeBinary } from '../../scripts/node-versions.mjs'
import { installLocked } from '../ecosystem/install.mjs'
import { runCell } from './run-cell.mjs'
import { typePair } from './type-pairs.mjs'

const folder = fileURLToPath(new URL('./', import.meta.url))
const root = fileURLToPath(new URL('../../', import.meta.url))
const options = new Map(process.argv.slice(2).map(arg => /^--([a-z]+)(?:=(.*))?$/.exec(arg)?.slice(1) ?? unknown(arg)))
for (const name of options.keys()) {
  if (!['full', 'ci', 'calls', 'stack', 'node', 'version', 'only'].includes(name)) unknown(`--${name}`)
}
const ci = options.has('ci')
const calls = Number(options.get('calls') ?? (options.has('full') ? 2000 : ci ? 40 : 100))
/** Enough for the calls of three lanes to wait for one connection. */
const CONTROL_CALLS = ci ? 70 : 130

function unknown(arg) {
  console.error(
    `what is ${arg}? There are --full, --ci, --calls=, --stack=, --node=, --version=, --only=cells|tests|examples|types`,
  )
  process.exit(2)
}

const STACKS = [
  { name: 'http2 hook', stack: 'grpc-js', way: 'register' },
  { name: 'interceptor', stack: 'grpc-js', way: 'code' },
  { name: 'nice-grpc', stack: 'nice-grpc', way: 'register' },
  { name: 'nest', stack: 'nest', way: 'register' },
  { name: 'connect', stack: 'connect', way: 'code' },
  { name: 'nice-grpc by code', stack: 'nice-grpc', way: 'code' },
  { name: 'nest by code', stack: 'nest', way: 'code' },
]
const NODES = ci ? [20, 24] : [20, 22, 24, 26]
const OLDER = ci ? ['1.10'] : ['1.10', '1.11', '1.12', '1.13']
/** Cells and programs at a time. */
const PARALLEL = 2
/** The tests of the package, which run with every version too. */
const TESTS = [
  'lane-channel',
  'faults',
  'secure-channels',
  'lane-interceptor',
  'scope',
  'names',
  'patch',
  'within-endpoint',
]

const count = { passed: 0, failed: 0, skipped: 0 }

function report(verdict, where, more) {
  count[verdict]++
  const mark = { passed: 'ok  ', failed: 'FAIL', skipped: 'skip' }[verdict]
  console.log(`${mark} ${where}${more === undefined ? '' : `: ${more}`}`)
}

const chosen = (name, value) => !options.has(name) || options.get(name) === String(value)

function* cells() {
  for (const node of NODES) for (const one of STACKS) yield { ...one, node, version: '1.14' }
  for (const version of OLDER) for (const one of STACKS.slice(0, 2)) yield { ...one, node: 20, version }
}

async function cell({ name, stack, way, node, version }) {
  const where = `${name}, Node ${node}, grpc-js ${version}`
  const binary = await nodeBinary(node)
  if (binary === undefined) return report('skipped', where, `no binary of Node ${node} for this machine`)
  const { lines, code, errors } = await runCell({ node: binary, stack, way, version, calls })
  for (const { kind, skipped, wrong, lost, doubled, failed, samples } of lines) {
    if (skipped !== undefined) report('skipped', `${where}, ${kind}`, skipped)
    else if (wrong + lost + doubled + failed === 0) report('passed', `${where}, ${kind}`)
    else
      report(
        'failed',
        `${where}, ${kind}`,
        `wrong ${wrong}, lost ${lost}, doubled ${doubled}, failed ${failed}; ${samples.join('; ')}`,
      )
  }
  if (code !== 0) report('failed', where, `the program ended with ${code}: ${errors.slice(0, 500)}`)
  const control = await runCell({ node: binary, stack, way, version, calls: CONTROL_CALLS, control: true })
  for (const { kind, skipped, wrong } of control.lines) {
    if (skipped !== undefined) continue
    if (wrong > 0) report('passed', `${where}, ${kind}, control`, `${wrong} wrong`)
    else report('failed', `${where}, ${kind}, control`, 'it is not wrong, so the cell proves nothing')
  }
  if (control.code !== 0)
    report('failed', `${where}, control`, `ended with ${control.code}: ${control.errors.slice(0, 500)}`)
}

/**
 * @param version - of grpc-js; `undefined`: each package has the copy that it finds
 * @returns what a program has printed, and how it ended
 */
function runScript(flags, file, version) {
  return runNode([...(version === undefined ? [] : flags), file], version)
}

function runNode(args, version) {
  const env = { ...process.env, ...(version !== undefined && { GRPC_VERSION: version }) }
  const child = spawn(process.execPath, args, {
    cwd: root,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let out = ''
  child.stdout.on('data', chunk => (out += chunk))
  child.stderr.on('data', chunk => (out += chunk))
  return new Promise(resolve => child.once('close', code => resolve({ out, code })))
}

const runTest = (name, version) =>
  runScript(
    ['--require', `${folder}versions.cjs`, '--import', 'tsx', '--conditions=@laneway/source'],
    `packages/grpc/test/${name}.test.ts`,
    version,
  )

async function example(version) {
  const { out, code } = await runScript(['--require', `${folder}versions.cjs`], `${folder}examples.mjs`, version)
  const line = out.split('\n').find(line => line.startsWith('{"results"'))
  if (line === undefined) report('failed', 'examples of the README', `ended with ${code}: ${out.slice(0, 500)}`)
  for (const { name, error } of line === undefined ? [] : JSON.parse(line).results) {
    report(error === undefined ? 'passed' : 'failed', `example: ${name}`, error?.slice(0, 500))
  }
}

/** Reports a program that says "not ok" for each test that failed. */
async function tests(where, run) {
  const { out, code } = await run
  const lines = out.split('\n').filter(line => /not ok|rror:/.test(line))
  if (code === 0) report('passed', where)
  else report('failed', where, lines.slice(0, 6).join(' | ') || out.slice(0, 500))
}

await installLocked(folder)
const stacks = STACKS.flatMap(({ name, stack }) => [name, stack])
if (options.has('stack') && !stacks.includes(options.get('stack'))) unknown(`--stack=${options.get('stack')}`)
const whole = !options.has('stack') && !options.has('node')
const jobs = []
if (chosen('only', 'cells')) {
  for (const one of cells()) {
    if (!chosen('stack', one.name) && !chosen('stack', one.stack)) continue
    if (chosen('node', one.node) && chosen('version', one.version)) jobs.push(() => cell(one))
  }
}
if (chosen('only', 'examples') && whole) for (const version of ['1.14', undefined]) jobs.push(() => example(version))
if (chosen('only', 'tests') && whole) {
  const flags = ['--import', 'tsx', '--conditions=@laneway/source', '--test-reporter=tap']
  if (chosen('version', '1.14'))
    jobs.push(() => tests('connect.test.mjs', runNode([...flags, `${folder}connect.test.mjs`])))
  for (const version of [...OLDER, '1.14']) {
    if (!chosen('version', version)) continue
    for (const name of TESTS) {
      jobs.push(() => tests(`${name}.test.ts, grpc-js ${version}`, runTest(name, version)))
    }
  }
}
if (chosen('only', 'types') && whole) {
  for (const version of [...OLDER, '1.14']) {
    const node = version === '1.14' ? 24 : 20
    if (!chosen('version', version)) continue
    jobs.push(() => tests(`types: grpc-js ${version}, @types/node ${node}`, runNode(typePair(version, node))))
  }
}
const all = jobs.length
const began = Date.now()
let ended = 0
await Promise.all(
  Array.from({ length: PARALLEL }, async () => {
    for (let job = jobs.shift(); job !== undefined; job = jobs.shift()) {
      await job()
      ended++
      const minutes = (Date.now() - began) / 60_000
      const left = (minutes / ended) * (all - ended)
      console.log(`# ${ended} of ${all} jobs in ${minutes.toFixed(1)} min, about ${left.toFixed(1)} min to go`)
    }
  }),
)
console.log(`${count.passed} passed, ${count.failed} failed, ${count.skipped} skipped`)
process.exit(count.failed === 0 ? 0 : 1)
