import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import t from 'tap'

const program = fileURLToPath(new URL('fixtures/pick-bytes.ts', import.meta.url))
const flags = [
  '--expose-gc',
  '--min-semi-space-size=64',
  '--max-semi-space-size=64',
  '--import',
  'tsx',
  '--conditions=@laneway/source',
]

t.test('a pick allocates nothing, nor do match, started, finished and handles, and no lane is remembered', async t => {
  const { NODE_OPTIONS: _, ...env } = process.env
  const output = execFileSync(process.execPath, [...flags, program], { encoding: 'utf8', env })
  const report = JSON.parse(output) as Record<string, number>
  t.equal(Object.keys(report).length, 72)
  for (const [name, bytes] of Object.entries(report)) {
    // The smallest object of V8 has 16 bytes; what is below one byte is the noise of measuring.
    if (name.endsWith(' control')) t.ok(bytes >= 16, `${name} would be seen: ${bytes} bytes`)
    else t.ok(bytes < 1, `${name}: ${bytes} bytes`)
  }
})
