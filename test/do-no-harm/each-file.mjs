// Runs test files that are programs of their own, one after the other: `each-file.mjs <results> <file>...`. A file that ends
// with 0 has passed; the results are written as reporter.mjs writes them.
import { spawnSync } from 'node:child_process'
import { appendFileSync } from 'node:fs'

const [out, ...files] = process.argv.slice(2)
for (const file of files) {
  const { status, signal, stderr } = spawnSync(process.execPath, [file], { timeout: 60_000, encoding: 'utf8' })
  const result = status === 0 ? 'passed' : 'failed'
  const why = status === 0 ? undefined : `${signal ?? `code ${status}`}\n${stderr.slice(-2000)}`
  appendFileSync(out, `${JSON.stringify({ name: `${file} > all`, result, why })}\n`)
  if (/ had a fault; /.test(stderr)) appendFileSync(out, `${JSON.stringify({ stderr })}\n`)
}
