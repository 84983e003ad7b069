import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import t from 'tap'

const run = promisify(execFile)

t.test('the types hold with the types of Fastify 4 too', async t => {
  const project = 'packages/fastify/test/fixtures/fastify4/tsconfig.json'
  // Rejects, with the compiler's words, when there is an error.
  const { stdout } = await run(process.execPath, ['node_modules/typescript/bin/tsc', '-p', project, '--listFiles'])
  t.match(stdout, /\/fastify4\/fastify\.d\.ts$/m)
  t.notMatch(stdout, /\/node_modules\/fastify\/fastify\.d\.ts$/m)
})
