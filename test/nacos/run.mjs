// One suite against real Nacos servers and the dev server:  npm run test:nacos [-- nacos3 nacos2 nacos2.2 dev rnacos]
//   NACOS_SERVER_ADDR=host:8848   adds a server that runs already (NACOS_USERNAME, NACOS_PASSWORD when it wants tokens)
//   RNACOS_BIN=/path/to/rnacos    adds r-nacos; its build takes ten minutes and more, so none is made here
//   NACOS_ONLY=text               only cases whose name contains the text
//   npm run test:nacos -- fleet [PROCESSES SERVICES IDLE_SECONDS]   measures what a fleet costs a real Nacos 3 instead
// Ends with a line of counts and a line for each server or peer that could not be had; those count as skipped, never as passed.
import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../..', import.meta.url))
const suite = fileURLToPath(new URL('suite.mts', import.meta.url))
const asked = process.argv.slice(2)
if (asked[0] === 'fleet') process.exit(await measureFleet(asked.slice(1)))
const kinds =
  asked.length > 0
    ? asked
    : ['dev', 'nacos3', 'nacos2', 'nacos2.2', 'rnacos', ...(process.env.NACOS_SERVER_ADDR ? ['given'] : [])]
const counts = { passed: 0, failed: 0, skipped: 0 }
const absent = []

for (const kind of kinds) await runSuite(kind)
for (const line of absent) console.log(`not run: ${line}`)
console.log(`${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`)
process.exitCode = counts.failed > 0 ? 1 : 0

function measureFleet(figures) {
  const file = fileURLToPath(new URL('fleet/fleet-load.mts', import.meta.url))
  const args = ['--import', 'tsx', '--conditions=@laneway/source', file, ...figures]
  const child = spawn(process.execPath, args, { cwd: root, stdio: 'inherit' })
  return new Promise(resolve => child.on('close', code => resolve(code ?? 1)))
}

function runSuite(kind) {
  const args = [
    '--import',
    'tsx',
    '--conditions=@laneway/source',
    suite,
    kind,
    ...(process.env.NACOS_ONLY ? [process.env.NACOS_ONLY] : []),
  ]
  const child = spawn(process.execPath, args, { cwd: root, stdio: ['ignore', 'pipe', 'inherit'] })
  let done = false
  console.log(`# ${kind}`)
  createInterface({ input: child.stdout }).on('line', line => {
    if (!line.startsWith('{')) return
    const said = JSON.parse(line)
    if (said.server) console.log(`  ${said.server} ${said.version}, up after ${said.ms} ms`)
    if (said.absent) {
      counts.skipped += said.cases
      absent.push(`${said.absent} (${kind}), ${said.cases} cases skipped: ${said.why}`)
    }
    // A group of cases is no case.
    if (said.passed && said.passed !== 'interop') {
      counts.passed++
      console.log(`  ok ${said.passed} (${said.ms} ms)`)
    }
    if (said.skipped) {
      counts.skipped++
      console.log(`  skipped ${said.skipped}: ${said.why}`)
    }
    if (said.failed) {
      counts.failed++
      console.log(`  FAILED ${said.failed} (${said.ms} ms)\n    ${said.why.split('\n').join('\n    ')}`)
    }
    if (said.figures) {
      done = true
      for (const [name, value] of Object.entries(said.figures)) console.log(`  figure: ${name}: ${value}`)
    }
  })
  return new Promise(resolve => {
    child.on('close', (code, signal) => {
      if (!done) {
        counts.failed++
        console.log(`  FAILED: the suite ended early (${signal ?? code})`)
      }
      resolve()
    })
  })
}
