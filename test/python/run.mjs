// `npm run test:python`: a lane through services in Python, with OpenTelemetry's own packages from PyPI.
//   PYTHON=python3.12   another interpreter
//   PYTHON_ONLY=text    only groups whose name contains the text
// Where there is no Python, or no package, the last lines say why, and what did not run counts as skipped.
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { pythonEnvironment, RELEASES } from './environment.mjs'

const root = fileURLToPath(new URL('../..', import.meta.url))
const suite = fileURLToPath(new URL('suite.ts', import.meta.url))
const all = Object.keys(RELEASES).length
const found = await pythonEnvironment()
if (found.problem !== undefined || found.releases.size === 0) {
  const reasons = found.problem === undefined ? [...found.absent].map(([release, why]) => `${release}: ${why}`) : []
  console.log(`not run: ${found.problem ?? reasons.join('; ')}`)
  console.log(`0 passed, 0 failed, ${all} skipped`)
} else {
  for (const [release, why] of found.absent) console.log(`not run: opentelemetry-api ${release}: ${why}`)
  const args = ['--import', 'tsx', '--conditions=@laneway/source', suite, found.python, String(found.absent.size)]
  for (const [release, folder] of found.releases) args.push(release, folder)
  const child = spawn(process.execPath, args, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] })
  child.on('close', (code, signal) => {
    if (signal !== null) console.log(`the suite ended by ${signal}\n0 passed, 1 failed, 0 skipped`)
    process.exitCode = code ?? 1
  })
}
