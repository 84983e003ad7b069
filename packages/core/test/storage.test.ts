import { execFile } from 'node:child_process'
import { resolve } from 'node:path'
import { promisify } from 'node:util'
import t from 'tap'

const run = promisify(execFile)
const esm = resolve('packages/core/dist/esm/index.js')
const commonjs = resolve('packages/core/dist/commonjs/index.js')
const older = resolve('packages/core/test/fixtures/older-core.cjs')

// Builds nothing when the sources have not changed.
await run(process.execPath, ['scripts/build.mjs', 'core'])

const rows: readonly (readonly [name: string, ...files: string[]])[] = [
  ['ESM, then CJS', esm, commonjs],
  ['CJS, then ESM', commonjs, esm],
  ['an older copy, then ESM and CJS', older, esm, commonjs],
  ['CJS, then an older copy, then ESM', commonjs, older, esm],
]

for (const [name, ...files] of rows) {
  t.test(`copies of core share one lane: ${name}`, async t => {
    const { stdout } = await run(process.execPath, [resolve('packages/core/test/fixtures/copies.cjs'), ...files])
    const result = JSON.parse(stdout)
    const pairs = files.length ** 2
    for (let pair = 0; pair < pairs; pair++) {
      t.equal(result[2 * pair], 'gray-2,gray,gray-2,gray,true', 'a lane written by one copy is read by another')
      t.equal(result[2 * pair + 1], 'undefined', 'and ends')
    }
    const [decided, symbols, same, coloured] = result.slice(2 * pairs)
    t.equal(decided, 'gray', 'a request is decided once')
    t.equal(symbols, 1)
    t.equal(same, false, 'they really are two copies')
    t.equal(coloured, 'green', 'the own colour is one')
  })
}
