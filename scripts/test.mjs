// `npm test` and `npm run test:all`: runs the test files, each in a process of its own, once the packages are built.
//
//   npm test                                       what a change needs: minutes
//   npm run test:all                               with the Node versions, the chains beside OpenTelemetry and the benchmark cases
//   npm run test:all -- --rest                     those alone
//   npm test -- 'packages/core/test/*.test.ts'     these files
//
// tap's own runner follows which sources each process loads. That takes as long as most of our tests and nothing here reads it.
import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const TESTS = [
  'packages/*/test/**/*.test.ts',
  'test/*.test.ts',
  'benchmarks/test/*.test.ts',
  'examples/*/test/*.test.ts',
]

/** Has a command of its own: test:traces. */
const EXCLUDED = ['packages/http/test/event-traces.test.ts']

/** What `npm test` leaves to `npm run test:all`: the same sentences with other versions, many processes, large bodies. */
const EXTENSIVE = [
  '**/node-versions.test.ts',
  '**/*4-types.test.ts',
  'packages/undici/test/undici6.test.ts',
  'examples/end-to-end-canary/test/*-e2e.test.ts',
  'packages/register/test/open-telemetry.test.ts',
  'packages/otel/test/chain.test.ts',
  'packages/otel/test/logs.test.ts',
  'packages/otel/test/set-up.test.ts',
  'packages/otel/test/side-by-side.test.ts',
  'packages/gateway/test/large-body.test.ts',
  'packages/register/test/bundled-demo.test.ts',
  'benchmarks/test/*.test.ts',
]

const root = fileURLToPath(new URL('..', import.meta.url))
const settings = JSON.parse(readFileSync(`${root}package.json`, 'utf8')).tap
const given = process.argv.slice(2)
const named = given.filter(argument => !argument.startsWith('-'))
const total = { total: 0, pass: 0, fail: 0, skip: 0, todo: 0 }
const failed = []

buildTap()
const started = Date.now()
const files = chosenFiles()
const waiting = [...files]
await Promise.all(Array.from({ length: settings.jobs }, work))
for (const file of failed) console.log(`failed: ${file}`)
if (files.length === 0) console.log('there is no such test file')
const counts = Object.entries(total).filter(([key, count]) => count > 0 || key === 'total' || key === 'pass')
console.log(`# { ${counts.map(([key, count]) => `${key}: ${count}`).join(', ')} }`)
console.log(`# ${files.length} files, ${Math.round((Date.now() - started) / 1000)} s`)
process.exitCode = failed.length > 0 || files.length === 0 ? 1 : 0

function chosenFiles() {
  if (named.length > 0) return list(named, [])
  const rest = () => list(EXTENSIVE, [])
  if (given.includes('--rest')) return rest()
  const usual = list(TESTS, [...EXCLUDED, ...EXTENSIVE])
  return given.includes('--all') ? [...usual, ...rest()] : usual
}

/** The files that git does not ignore. */
function list(include, exclude) {
  const specs = [...include.map(glob => `:(glob)${glob}`), ...exclude.map(glob => `:(exclude,glob)${glob}`)]
  const args = ['ls-files', '--cached', '--others', '--exclude-standard', '--', ...specs]
  const lines = execFileSync('git', args, { cwd: root, encoding: 'utf8' }).split('\n')
  return [...new Set(lines)].filter(file => file.endsWith('.test.ts') && existsSync(`${root}${file}`))
}

async function work() {
  for (let file = waiting.shift(); file !== undefined; file = waiting.shift()) {
    const start = Date.now()
    const { code, output } = await run(file)
    const seconds = `${((Date.now() - start) / 1000).toFixed(1)} s`
    const found = [...output.matchAll(/^# \{ (total: .*) \}$/gm)].at(-1)?.[1] ?? ''
    for (const [, key, count] of found.matchAll(/(\w+): (\d+)/g)) total[key] += Number(count)
    if (code === 0 && found !== '') console.log(`ok ${file} (${seconds})`)
    else {
      failed.push(file)
      console.log(
        `${output.trimEnd()}\nnot ok ${file} (${seconds}, ${code === null ? 'no end in time' : `exit ${code}`})`,
      )
    }
  }
}

function run(file) {
  // tap first: what is imported after tsx goes through tsx.
  const args = ['--import=tap', ...settings['node-arg'], file]
  // The limit of a file that hangs. A busy machine takes its time, and that says nothing about a test.
  const env = { ...process.env, TAP: '1', TAP_TIMEOUT: String(settings.timeout) }
  return new Promise(resolve => {
    const child = spawn(process.execPath, args, { cwd: root, env, stdio: ['ignore', 'pipe', 'pipe'] })
    const late = setTimeout(() => child.kill('SIGKILL'), (settings.timeout + 60) * 1000)
    let output = ''
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', chunk => (output += chunk))
    child.on('close', code => {
      clearTimeout(late)
      resolve({ code, output })
    })
  })
}

/** The list of plugins in package.json leaves out those that we do not use; tap compiles its test class from it. */
function buildTap() {
  const stamp = `${root}node_modules/@tapjs/test/test-built/.laneway-plugins`
  const wanted = JSON.stringify(settings.plugin)
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return
  console.log('building the test runner ...')
  const bin = `${root}node_modules/tap/dist/esm/run.mjs`
  const { status } = spawnSync(process.execPath, [bin, 'build'], { cwd: root, stdio: 'inherit' })
  if (status !== 0) process.exit(status ?? 1)
  writeFileSync(stamp, wanted)
}
