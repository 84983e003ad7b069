// The tests that want a real Kubernetes API server. `KUBECONFIG` points them at any; without it one is built and started
// here. Where none can be had, that is said in one line and the tests count as skipped.
//
//   npm run test:kubernetes [FILE...]
import { spawn } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const folder = dirname(fileURLToPath(import.meta.url))
const root = join(folder, '..', '..')
const given = process.argv.slice(2)
const files =
  given.length > 0
    ? given
    : readdirSync(folder)
        .filter(name => name.endsWith('.test.ts'))
        .map(name => `test/kubernetes/${name}`)

const server = await apiServer()
if (server.problem !== undefined) {
  console.log(`no Kubernetes API server: ${server.problem}`)
  console.log(`0 passed, 0 failed, ${files.length} skipped`)
  process.exit(0)
}
const counts = { passed: 0, failed: 0, skipped: 0 }
try {
  // One at a time: they measure, and one of them stops the server for a moment.
  for (const file of files) await run(file)
} finally {
  await server.stop()
}
process.exitCode = counts.failed === 0 ? 0 : 1
console.log(`${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`)

async function apiServer() {
  if (process.env.KUBECONFIG) return { env: {}, stop: async () => {} }
  const { installControlPlane } = await import('../servers/kubernetes/install.mjs')
  const problem = installControlPlane()
  if (problem !== undefined) return { problem }
  try {
    const { startControlPlane } = await import('../servers/kubernetes/start.mjs')
    const plane = await startControlPlane()
    const env = { KUBECONFIG: plane.kubeconfig, LANEWAY_TEST_API_SERVER_PID: String(plane.pids['kube-apiserver']) }
    return { env, stop: plane.stop }
  } catch (error) {
    return { problem: error.message }
  }
}

function run(file) {
  const args = ['--expose-gc', '--import', 'tsx', '--conditions=@laneway/source', file]
  const child = spawn(process.execPath, args, {
    cwd: root,
    env: { ...process.env, TAP_TIMEOUT: '300', ...server.env },
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
