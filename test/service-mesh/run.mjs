// Calls beside a proxy that routes by Host, as the sidecars of a service mesh do.
//
//   npm run test:mesh
import { spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const folder = dirname(fileURLToPath(import.meta.url))
const counts = { passed: 0, failed: 0, skipped: 0 }
for (const name of readdirSync(folder).filter(one => one.endsWith('.test.ts'))) {
  const args = ['--import', 'tsx', '--conditions=@laneway/source', join(folder, name)]
  const options = {
    cwd: join(folder, '..', '..'),
    encoding: 'utf8',
    timeout: 180_000,
    env: { TAP_TIMEOUT: '120', ...process.env },
  }
  const { status, stdout } = spawnSync(process.execPath, args, { ...options, stdio: ['ignore', 'pipe', 'inherit'] })
  process.stdout.write(stdout)
  const tests = stdout.match(/^(not )?ok .*$/gm) ?? []
  const skipped = tests.filter(line => / # SKIP/i.test(line)).length
  const failed = tests.filter(line => line.startsWith('not ok')).length
  counts.skipped += skipped
  counts.failed += failed
  counts.passed += tests.length - failed - skipped
  if ((status !== 0 && failed === 0) || tests.length === 0) counts.failed++
}
process.exitCode = counts.failed === 0 ? 0 : 1
console.log(`${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`)
