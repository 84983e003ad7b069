import { mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import t from 'tap'
import { startFarService } from './far-service.js'
import { ask, program, startApp } from './start-app.js'

for (const minify of [false, true]) {
  t.test(
    `a bundle of esbuild, ${minify ? 'minified' : 'as it is'}: the copy of undici inside keeps the lane`,
    async t => {
      const folder = mkdtempSync(fileURLToPath(new URL('.bundle-', import.meta.url)))
      t.teardown(() => rmSync(folder, { recursive: true, force: true }))
      const outfile = join(folder, 'bundle.cjs')
      await build({
        entryPoints: [program('bundled.mjs')],
        bundle: true,
        platform: 'node',
        format: 'cjs',
        minify,
        outfile,
      })
      const far = await startFarService(t)
      const app = await startApp(t, outfile, { environment: far.environment })
      for (let round = 0; round < 3; round++) {
        const answers = await Promise.all([ask(app.url, 'gray'), ask(app.url), ask(app.url, 'blue')])
        t.strictSame(answers, ['gray[gray] gray[gray]', 'base[] base[]', 'base[blue] base[blue]'])
      }
    },
  )
}
