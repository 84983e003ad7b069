import { createNacosDevServer } from '@laneway/nacos-dev-server'
import t from 'tap'
import { startFarService } from './far-service.js'
import { program, relay, startApp } from './start-app.js'

t.test('a program that another script loads, as PM2 does in fork mode, is a lane member and registers', async t => {
  const far = await startFarService(t)
  const nacos = await createNacosDevServer({ port: 0 }).start()
  t.teardown(() => nacos.close())
  const app = await startApp(t, program('container.cjs'), {
    environment: {
      ...far.environment,
      pm_exec_path: program('relay.mjs'),
      pm_esm: '1',
      LANEWAY_NACOS: nacos.address,
      LANEWAY_SERVICE: 'sc-P',
    },
  })
  for (const client of ['http', 'fetch', 'undici', 'axios', 'got']) {
    t.equal(await relay(app, client, 'gray'), 'gray[gray]', client)
    t.equal(await relay(app, client), 'base[]', client)
  }
  await nacos.until(({ instances }) => instances('sc-P').length === 1)
  t.equal(nacos.instances('sc-P')[0]?.port, app.port)
  app.child.kill('SIGINT')
  await nacos.until(({ instances }) => instances('sc-P').length === 0)
  t.equal(await app.ended, 'SIGINT')
})

t.test("PM2's cluster mode: what the app's environment says counts, although it comes in one variable", async t => {
  const far = await startFarService(t)
  const app = await startApp(t, program('container.cjs'), {
    environment: {
      pm_exec_path: program('relay.mjs'),
      pm_esm: '1',
      pm2_env: JSON.stringify({ ...far.environment, LANEWAY_LOG: 'debug', PATH: '/nowhere', instances: 4 }),
    },
  })
  t.equal(await relay(app, 'http', 'gray'), 'gray[gray]')
  t.equal(await relay(app, 'fetch'), 'base[]')
  t.match(app.output.stderr, /laneway: pick .* lane=gray .* service=svc /)
})

t.test('a variable of that name which is no JSON is left alone', async t => {
  for (const pm2_env of ['{', 'null', '7', '[]', '{"LANEWAY_LOG":{}}']) {
    const app = await startApp(t, program('ends.mjs'), { environment: { pm2_env } })
    t.strictSame([await app.ended, app.output.stderr], [0, ''], pm2_env)
  }
})
