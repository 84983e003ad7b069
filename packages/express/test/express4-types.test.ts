import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import t from 'tap'

const run = promisify(execFile)

t.test('the types hold with the types of Express 4 too', async t => {
  const project = 'packages/express/test/fixtures/express4-types/tsconfig.json'
  // Rejects, with the compiler's words, when there is an error.
  const { stdout } = await run(process.execPath, ['node_modules/typescript/bin/tsc', '-p', project, '--listFiles'])
  t.match(stdout, /\/types-express-4\/index\.d\.ts$/m)
  t.notMatch(stdout, /\/@types\/express\/index\.d\.ts$/m)
})
