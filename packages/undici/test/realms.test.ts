import { createServer } from 'node:http'
import { createRequire } from 'node:module'
import { createContext, runInContext } from 'node:vm'
import { runInLane } from '@laneway/core'
import { listen } from '@laneway/testkit'
import { buildSync } from 'esbuild'
import t from 'tap'

const require = createRequire(import.meta.url)

t.test('createLaneFetch finds the dispatcher of Node in another realm, as that of a test file of Jest', async t => {
  const { outputFiles } = buildSync({
    entryPoints: [require.resolve('../src/index.ts')],
    bundle: true,
    write: false,
    platform: 'node',
    format: 'cjs',
    conditions: ['@laneway/source'],
  })
  const module = { exports: {} as typeof import('../src/index.js') }
  const globals = { module, require, process, Buffer, URL, fetch, Headers, Request, Response }
  runInContext(outputFiles[0]!.text, createContext({ ...globals, exports: module.exports }))
  const seen: unknown[] = []
  const server = createServer((request, response) => {
    seen.push(request.headers['x-mse-tag'])
    response.end()
  })
  const port = await listen(t, server)
  const laneFetch = module.exports.createLaneFetch()
  for (const lane of ['gray', undefined, 'blue']) {
    await runInLane(lane, async () => (await laneFetch(`http://127.0.0.1:${port}/`)).text())
  }
  t.strictSame(seen, ['gray', undefined, 'blue'])
})
