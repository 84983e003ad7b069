// The console in a real Chromium. What cannot be had here says so and counts as skipped.
//
//   npm run test:console                           hostile names, a big fleet, the demo, brokers, Nacos 3, Kubernetes with Prometheus
//   npm run test:console -- --ci                   the same with fewer pictures
//   npm run test:console -- hostile demo           these parts
//
// Pictures go to test/.cache/console, or to the folder that LANEWAY_PICTURES names.
import { spawn } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { installLocked } from '../ecosystem/install.mjs'
import { findProgram } from '../servers/debian.mjs'

const folder = fileURLToPath(new URL('./', import.meta.url))
const root = fileURLToPath(new URL('../../', import.meta.url))
const PARTS = ['hostile', 'fleet', 'demo', 'messages', 'nacos', 'kubernetes']
const given = process.argv.slice(2)
const parts = given.filter(arg => !arg.startsWith('--'))
const wrong = given.find(arg => arg !== '--ci' && !PARTS.includes(arg))
if (wrong !== undefined) {
  console.error(`what is ${wrong}? There are --ci and the parts ${PARTS.join(', ')}`)
  process.exit(2)
}

const problem = findProgram('chromium', 'chromium')
if (problem !== undefined) {
  console.log(`no browser: ${problem}`)
  console.log(`0 passed, 0 failed, ${PARTS.length} skipped`)
  process.exit(0)
}
await installLocked(folder)
const pictures = process.env.LANEWAY_PICTURES ?? `${root}test/.cache/console`
mkdirSync(pictures, { recursive: true })
const counts = { passed: 0, failed: 0, skipped: 0 }
for (const part of parts.length > 0 ? parts : PARTS) await run(part)
console.log(`pictures are in ${pictures}`)
console.log(`${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`)
process.exitCode = counts.failed === 0 ? 0 : 1

async function run(part) {
  console.log(`# ${part}`)
  const own = await environmentOf(part)
  if (own.problem !== undefined) {
    console.log(`not run: ${own.problem}`)
    counts.skipped++
    return
  }
  const args = ['--import', 'tsx', '--conditions=@laneway/source', `${folder}parts/${part}.mts`]
  const env = { ...process.env, LANEWAY_PICTURES: pictures, TAP_TIMEOUT: '400', ...own.env }
  if (given.includes('--ci')) env.LANEWAY_FEW_PICTURES = '1'
  const child = spawn(process.execPath, args, { cwd: root, env, stdio: ['ignore', 'pipe', 'inherit'] })
  let output = ''
  child.stdout.on('data', chunk => {
    output += chunk
    process.stdout.write(chunk)
  })
  const code = await new Promise(resolve => child.on('close', resolve))
  await own.stop?.()
  const tests = output.match(/^(not )?ok .*$/gm) ?? []
  const failed = tests.filter(line => line.startsWith('not ok')).length
  const skipped = tests.filter(line => / # SKIP/i.test(line)).length
  counts.failed += failed
  counts.skipped += skipped
  counts.passed += tests.length - failed - skipped
  // A file that dies, or ends without a single test, has not passed.
  if ((code !== 0 && failed === 0) || tests.length === 0) counts.failed++
}

/** The servers that only Kubernetes needs outside of the part. */
async function environmentOf(part) {
  if (part === 'messages') await installLocked(fileURLToPath(new URL('../messages/', import.meta.url)))
  if (part !== 'kubernetes' || process.env.KUBECONFIG) return { env: {} }
  const { installControlPlane } = await import('../servers/kubernetes/install.mjs')
  const problem = installControlPlane()
  if (problem !== undefined) return { problem }
  const { startControlPlane } = await import('../servers/kubernetes/start.mjs')
  const plane = await startControlPlane()
  return { env: { KUBECONFIG: plane.kubeconfig }, stop: plane.stop }
}
