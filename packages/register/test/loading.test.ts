import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createNacosDevServer } from '@laneway/nacos-dev-server'
import t from 'tap'
import { startFarService } from './far-service.js'
import { program, relay, startApp } from './start-app.js'

const CLIENTS = ['http', 'no agent', 'own connection', 'fetch', 'undici', 'axios', 'got']
const IMPORT = ['--import', '@laneway/register']
const REQUIRE = ['--require', '@laneway/register']

t.test('an unchanged program is a lane member, whatever client it calls with', async t => {
  const far = await startFarService(t)
  const app = await startApp(t, program('relay.mjs'), { environment: far.environment })
  for (const client of CLIENTS) {
    t.equal(await relay(app, client), 'base[]', `${client}, no lane`)
    t.equal(await relay(app, client, 'gray'), 'gray[gray]', `${client}, a lane that is there`)
    t.equal(await relay(app, client, 'blue'), 'base[blue]', `${client}, a lane that is not`)
    t.equal(await relay(app, client, 'gray', `http://127.0.0.1:${far.base}/`), 'base[gray]', `${client}, no service`)
  }
})

for (const [name, flags, environment] of [
  ['--import', IMPORT, {}],
  ['--require', REQUIRE, {}],
  ['both', [...IMPORT, ...REQUIRE], {}],
  ['both, the other way round', [...REQUIRE, ...IMPORT], {}],
  ['NODE_OPTIONS', [], { NODE_OPTIONS: '--import @laneway/register' }],
  ['NODE_OPTIONS and a flag', REQUIRE, { NODE_OPTIONS: '--import @laneway/register' }],
] as const) {
  t.test(`loaded by ${name} it works once`, async t => {
    const far = await startFarService(t)
    const app = await startApp(t, program('relay.mjs'), {
      flags,
      environment: { ...far.environment, ...environment, LANEWAY_LOG: 'debug' },
    })
    t.equal(await relay(app, 'http', 'gray'), 'gray[gray]')
    t.equal(await relay(app, 'undici', 'gray'), 'gray[gray]')
    const lines = app.output.stderr.split('\n')
    t.equal(lines.filter(line => line.startsWith('laneway: in ')).length, 2, 'each request is read once')
    t.equal(lines.filter(line => /^laneway: pick .* service=svc /.test(line)).length, 2, 'and sent once')
  })
}

t.test('the thread of loader hooks is no member of anything', async t => {
  const far = await startFarService(t)
  const nacos = await createNacosDevServer({ port: 0 }).start()
  t.teardown(() => nacos.close())
  const app = await startApp(t, program('relay.mjs'), {
    flags: [...REQUIRE, '--import', program('hooks.mjs')],
    environment: { ...far.environment, LANEWAY_NACOS: nacos.address, LANEWAY_SERVICE: 'sc-P' },
  })
  await nacos.until(({ instances }) => instances('sc-P').length === 1)
  t.equal(nacos.sessions().length, 1)
  t.equal(await relay(app, 'http', 'gray'), 'gray[gray]')
})

t.test('LANEWAY_DISABLE=all leaves everything alone, a broken configuration included', async t => {
  const far = await startFarService(t)
  const folder = mkdtempSync(fileURLToPath(new URL('.off-', import.meta.url)))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  copyFileSync(program('relay.mjs'), join(folder, 'relay.mjs'))
  writeFileSync(join(folder, 'laneway.config.json'), '{ broken')
  const app = await startApp(t, join(folder, 'relay.mjs'), {
    environment: { LANEWAY_DISABLE: 'all', LANEWAY_NACOS: ':::' },
    folder,
  })
  t.equal(await relay(app, 'http', 'gray', `http://127.0.0.1:${far.gray}/`), 'gray[]')
  t.equal(await relay(app, 'fetch', 'gray', `http://127.0.0.1:${far.gray}/`), 'gray[]')
})

t.test('LANEWAY_DISABLE leaves out what it names', async t => {
  const far = await startFarService(t)
  const app = await startApp(t, program('relay.mjs'), {
    environment: { ...far.environment, LANEWAY_DISABLE: 'undici' },
  })
  const target = `http://127.0.0.1:${far.gray}/`
  t.equal(await relay(app, 'http', 'gray', target), 'gray[gray]')
  t.equal(await relay(app, 'fetch', 'gray', target), 'gray[]')
})

t.test('a configuration that is wrong stops the start and says why', async t => {
  for (const [environment, said] of [
    [{ LANEWAY_TRUST: 'everyone' }, /LANEWAY_TRUST is one of "private", "internal", "edge", received "everyone"/],
    [{ LANEWAY_DISABLE: 'undichi' }, /LANEWAY_DISABLE: there is no part "undichi", did you mean "undici"\?/],
    [{ LANEWAY_TAG: 'not a tag' }, /LANEWAY_TAG is not a lane tag/],
    [{ LANEWAY_RULES: '/nowhere/rules.json' }, /\/nowhere\/rules.json cannot be read/],
  ] as const) {
    await t.rejects(startApp(t, program('relay.mjs'), { environment }), { message: said })
  }
})

t.test('a program that comes to its end is not held up by a registry, reached or not', async t => {
  const folder = mkdtempSync(fileURLToPath(new URL('.script-', import.meta.url)))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  writeFileSync(join(folder, 'script.mjs'), 'console.log("serving on 1")\n')
  const app = await startApp(t, join(folder, 'script.mjs'), {
    environment: { LANEWAY_NACOS: '127.0.0.1:9', LANEWAY_SERVICES: 'svc' },
  })
  t.equal(await app.ended, 0)
})
