import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { startFarService } from './far-service.js'
import { program, relay, startApp, type Test } from './start-app.js'

const packages = fileURLToPath(new URL('../../', import.meta.url))

/** Another installation of the packages, as two parts of an application may bring them. */
function copyOf(t: Test): string {
  const folder = mkdtempSync(fileURLToPath(new URL('.copy-', import.meta.url)))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  for (const name of ['core', 'discovery', 'http', 'undici', 'register']) {
    const to = join(folder, 'node_modules/@laneway', name)
    for (const part of ['dist', 'package.json']) cpSync(join(packages, name, part), join(to, part), { recursive: true })
  }
  return join(folder, 'node_modules/@laneway/register')
}

t.test('two copies of the package work once, whichever comes first and in whichever format', async t => {
  const copy = copyOf(t)
  const far = await startFarService(t)
  for (const flags of [
    ['--import', join(copy, 'dist/esm/index.js'), '--import', '@laneway/register'],
    ['--import', '@laneway/register', '--import', join(copy, 'dist/esm/index.js')],
    ['--require', join(copy, 'dist/commonjs/index.js'), '--import', '@laneway/register'],
  ]) {
    const app = await startApp(t, program('relay.mjs'), {
      flags,
      environment: { ...far.environment, LANEWAY_LOG: 'debug' },
    })
    for (const client of ['http', 'fetch', 'undici']) t.equal(await relay(app, client, 'gray'), 'gray[gray]')
    const lines = app.output.stderr.split('\n')
    t.equal(lines.filter(line => line.startsWith('laneway: in ')).length, 3, 'each request is read once')
    t.equal(lines.filter(line => /^laneway: pick .* service=svc /.test(line)).length, 3, 'and sent once')
  }
})
