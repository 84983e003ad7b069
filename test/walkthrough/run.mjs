// What the walkthrough in examples/end-to-end-canary needs programs for: Lua, Helm, kubectl with a Kubernetes API server,
// the schemas of OpenKruise Rollouts and Gateway API, MariaDB. What cannot be had is said and counts as skipped.
//
//   npm run test:walkthrough [FILE...]
//   npm run test:walkthrough -- --ci     without Helm, which takes minutes to build
import { spawn } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const folder = dirname(fileURLToPath(import.meta.url))
const root = join(folder, '..', '..')
const short = process.argv.includes('--ci')
const given = process.argv.slice(2).filter(argument => argument !== '--ci')
const files =
  given.length > 0
    ? given
    : readdirSync(folder)
        .filter(name => name.endsWith('.test.ts') && !(short && name.startsWith('helm')))
        .map(name => `test/walkthrough/${name}`)

const counts = { passed: 0, failed: 0, skipped: 0 }
for (const file of files) await run(file)
process.exitCode = counts.failed === 0 ? 0 : 1
console.log(`walkthrough: ${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`)

function run(file) {
  const child = spawn(process.execPath, ['--import', 'tsx', '--conditions=@laneway/source', file], {
    cwd: root,
    env: { ...process.env, TAP_TIMEOUT: '1200' },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let output = ''
  child.stdout.on('data', chunk => {
    output += chunk
    process.stdout.write(chunk)
  })
  return new Promise(resolve => {
    child.on('close', code => {
      const tests = output.match(/^(not )?ok .*$/gm) ?? []
      const skipped = tests.filter(line => / # SKIP/i.test(line)).length
      const failed = tests.filter(line => line.startsWith('not ok')).length
      counts.failed += failed
      counts.skipped += skipped
      counts.passed += tests.length - failed - skipped
      // A file that dies, or ends without a single test, has not passed.
      if ((code !== 0 && failed === 0) || tests.length === 0) counts.failed++
      resolve()
    })
  })
}
