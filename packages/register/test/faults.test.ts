import { writeFileSync } from 'node:fs'
import t from 'tap'
import { startFarService } from './far-service.js'
import { ask, program, relay, startApp } from './start-app.js'

// Both by --require, because those come first and in this order.
const flags = ['--require', '@laneway/register', '--require', program('poison.cjs')]

t.test('a fault inside Laneway is reported once, and every request is served as without Laneway', async t => {
  const far = await startFarService(t)
  const app = await startApp(t, program('relay.mjs'), { flags, environment: {} })
  const target = `http://127.0.0.1:${far.base}/`
  for (const client of ['http', 'no agent', 'own connection', 'fetch', 'undici', 'axios', 'got']) {
    for (const tag of ['gray', undefined]) t.equal(await relay(app, client, tag, target), 'base[]', client)
  }
  const told = app.output.stderr.match(/\w+ had a fault; requests go on without it: Error: poisoned/g)
  // The client with a connection of its own opens a socket that could be anything.
  t.strictSame(told?.map(line => line.split(' ')[0]).sort(), ['http', 'ingress', 'sockets', 'undici'])
})

t.test('so is one while another endpoint is chosen after a connect error', async t => {
  const far = await startFarService(t)
  // Nobody listens at that address, and the port is one at which the host itself is served.
  const endpoints = { services: { localhost: [{ host: '127.0.0.2', port: far.base }] } }
  writeFileSync(far.environment.LANEWAY_ENDPOINTS_FILE, JSON.stringify(endpoints))
  const app = await startApp(t, program('relay.mjs'), {
    flags: ['--require', '@laneway/register', '--require', program('poison-pick.cjs')],
    environment: { ...far.environment, LANEWAY_SERVICES: 'localhost' },
  })
  const target = `http://localhost:${far.base}/`
  for (const client of ['http', 'no agent', 'own connection', 'fetch', 'undici', 'axios', 'got']) {
    t.equal(await relay(app, client, 'gray', target), 'base[gray]', client)
    t.equal(await relay(app, client, undefined, target), 'base[]', client)
  }
  const told = app.output.stderr.match(/\w+ had a fault; requests go on without it: Error: poisoned/g)
  t.strictSame(told?.map(line => line.split(' ')[0]).sort(), ['http', 'undici'])
})

t.test('so is one behind composed interceptors, and in inject()', async t => {
  const far = await startFarService(t)
  const app = await startApp(t, program('composed.mjs'), {
    flags,
    environment: { TARGET: `http://127.0.0.1:${far.base}/` },
  })
  t.equal(await ask(app.url, 'gray'), 'base[] base[]')
  const injecting = await startApp(t, program('injecting.mjs'), { flags })
  t.equal(await ask(injecting.url, 'gray'), 'served')
  t.match(injecting.output.stderr, /inject had a fault/)
})

t.test('an error of a listener is reported as without Laneway, and does not count as a fault', async t => {
  const app = await startApp(t, program('throwing.mjs'))
  for (let round = 0; round < 2; round++) t.equal(await ask(app.url, 'gray'), `caught ${round + 1}`)
  t.equal(app.output.stderr, '')
})
