import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { root } from './command-line.js'
import { withOutputs } from './readme-console.js'

const file = join(root, 'packages/laneway/README.md')

// `--write` as an argument of this file writes the outputs into the README.
t.test('every help and output in the README is that of a run', async t => {
  const readme = readFileSync(file, 'utf8')
  const expected = await withOutputs(t, readme)
  if (process.argv.includes('--write')) writeFileSync(file, expected)
  t.equal(readme, expected)
  for (const name of ['', 'doctor ', 'lanes ', 'explain ', 'endpoints ', 'check ', 'trace ', 'console ', 'run '])
    t.match(readme, `$ laneway ${name}--help\nUsage: `)
})
