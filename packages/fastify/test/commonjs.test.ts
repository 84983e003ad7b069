import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import t from 'tap'

const run = promisify(execFile)

t.test('require() gives a working copy, which shares the lane with the ESM copy of core', async t => {
  // Builds nothing when the sources have not changed.
  await run(process.execPath, ['scripts/build.mjs', 'fastify'])
  const { stdout } = await run(process.execPath, ['packages/fastify/test/fixtures/commonjs.cjs'])
  t.strictSame(JSON.parse(stdout), { property: 'gray', commonjs: 'gray', esm: 'gray' })
})
