import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import t from 'tap'
import { ask, startApp } from './start-app.js'

const services = fileURLToPath(new URL('../../../examples/end-to-end-canary/services-plain/', import.meta.url))

for (const minify of [false, true]) {
  t.test(`the services of the example in bundles, ${minify ? 'minified' : 'as they are'}, keep the lane`, async t => {
    const folder = mkdtempSync(fileURLToPath(new URL('.demo-', import.meta.url)))
    t.teardown(() => rmSync(folder, { recursive: true, force: true }))
    await build({
      entryPoints: ['a', 'b', 'c'].map(name => `${services}${name}.js`),
      outdir: folder,
      outExtension: { '.js': '.mjs' },
      bundle: true,
      minify,
      platform: 'node',
      format: 'esm',
      // mysql2 is loaded only where there is a database; CommonJS inside the bundle needs a require.
      external: ['mysql2', 'mysql2/promise', '@laneway/core'],
      banner: {
        js: 'import { createRequire as bundled } from "node:module"; const require = bundled(import.meta.url)',
      },
    })
    const file = join(folder, 'endpoints.json')
    const listed: Record<string, object[]> = {}
    const start = async (name: string, tag?: string) => {
      writeFileSync(file, JSON.stringify({ services: listed }))
      const app = await startApp(t, join(folder, `${name}.mjs`), {
        environment: {
          LANEWAY_ENDPOINTS_FILE: file,
          LANEWAY_SERVICES: Object.keys(listed).join(),
          ...(tag !== undefined && { LANEWAY_TAG: tag }),
        },
      })
      listed[`sc-${name}`] ??= []
      listed[`sc-${name}`]!.push({ host: '127.0.0.1', port: app.port, tags: tag === undefined ? [] : [tag] })
      return app
    }
    // Only C has a gray instance: the tag has to survive A and B.
    for (const [name, tag] of [['c'], ['c', 'gray'], ['b']] as const) await start(name, tag)
    const a = await start('a')
    const path = async (tag?: string) => (await ask(`${a.url}/a`, tag)).replace(/\[[^\]]*\]/g, '')
    for (let round = 0; round < 3; round++) {
      t.strictSame(await Promise.all([path('gray'), path(), path('blue')]), [
        'A -> B -> Cgray',
        'A -> B -> C',
        'A -> B -> C',
      ])
    }
  })
}
