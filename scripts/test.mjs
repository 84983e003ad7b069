// `npm test` and `npm run test:all`: runs tap, once the packages are built.
//
//   npm test                                  what a change needs: minutes
//   npm run test:all                          with the Node versions, the chains beside OpenTelemetry and the benchmark cases
//   npm run test:all -- --rest                those alone
//   npm test -- packages/core/test/a.test.ts  these files; other arguments are tap's own
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** What `npm test` leaves to `npm run test:all`: the same sentences on other Nodes, many processes, large bodies. */
const EXTENSIVE = [
  '**/node-versions.test.ts',
  '**/other-nodes.test.ts',
  'packages/undici/test/undici8.test.ts',
  'examples/end-to-end-canary/test/*-e2e.test.ts',
  'packages/register/test/open-telemetry.test.ts',
  'packages/otel/test/{chain,logs,set-up,side-by-side}.test.ts',
  'packages/gateway/test/large-body.test.ts',
  'packages/register/test/bundled-demo.test.ts',
  'benchmarks/test/*.test.ts',
]

const root = fileURLToPath(new URL('..', import.meta.url))
const settings = JSON.parse(readFileSync(`${root}package.json`, 'utf8')).tap
const given = process.argv.slice(2)
const all = given.includes('--all')
const rest = given.includes('--rest')
const args = given.filter(argument => argument !== '--all' && argument !== '--rest')
const named = args.some(argument => !argument.startsWith('-'))

buildTap()
// tap takes one list of exclusions: the option replaces that of package.json.
const excluded = [...settings.exclude, ...EXTENSIVE].map(glob => `--exclude=${glob}`)
const choice = rest ? EXTENSIVE : all || named ? [] : excluded
process.exitCode = tap([...choice, ...args])

/**
 * tap compiles its own test class from its list of plugins, which package.json has in `tap.plugin`. Two of the default
 * ones are left out: the compiler, since tsx starts in a third of the time and keeps what it compiled, and the mocks.
 */
function buildTap() {
  const stamp = `${root}node_modules/@tapjs/test/test-built/.laneway-plugins`
  const wanted = JSON.stringify(settings.plugin)
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return
  console.log('building the test runner ...')
  const status = tap(['build'])
  if (status !== 0) process.exit(status)
  writeFileSync(stamp, wanted)
}

function tap(args) {
  const bin = `${root}node_modules/tap/dist/esm/run.mjs`
  return spawnSync(process.execPath, [bin, ...args], { cwd: root, stdio: 'inherit' }).status ?? 1
}
