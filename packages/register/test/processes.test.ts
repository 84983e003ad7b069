import { createNacosDevServer } from '@laneway/nacos-dev-server'
import t from 'tap'
import { startFarService } from './far-service.js'
import { ask, program, startApp } from './start-app.js'

t.test('node:cluster: four workers keep the lane and stand in the registry with one address', async t => {
  const far = await startFarService(t)
  const nacos = await createNacosDevServer({ port: 0 }).start()
  t.teardown(() => nacos.close())
  const app = await startApp(t, program('cluster.mjs'), {
    environment: { ...far.environment, LANEWAY_NACOS: nacos.address, LANEWAY_SERVICE: 'sc-P' },
  })
  await nacos.until(({ instances }) => instances('sc-P').length === 4)
  t.strictSame(new Set(nacos.instances('sc-P').map(one => `${one.ip}:${one.port}`)), new Set([`127.0.0.1:${app.port}`]))
  const workers = new Set<string>()
  for (let index = 0; index < 12; index++) {
    const [pid = '', ...rest] = (await ask(app.url, index % 2 === 0 ? 'gray' : undefined)).split(' ')
    workers.add(pid)
    t.equal(rest.join(' '), index % 2 === 0 ? 'gray[gray]' : 'base[]')
  }
  t.equal(workers.size, 4)
  const [first] = workers
  process.kill(Number(first), 'SIGTERM')
  await nacos.until(({ instances }) => instances('sc-P').length === 3)
  t.equal((await ask(app.url, 'gray')).split(' ')[1], 'gray[gray]')
})

t.test('worker threads keep the lane by themselves, and only the main thread registers', async t => {
  const far = await startFarService(t)
  const nacos = await createNacosDevServer({ port: 0 }).start()
  t.teardown(() => nacos.close())
  const app = await startApp(t, program('threads.mjs'), {
    environment: { ...far.environment, LANEWAY_NACOS: nacos.address, LANEWAY_SERVICE: 'sc-P' },
  })
  await nacos.until(({ instances, sessions }) => instances('sc-P').length > 0 && sessions().length > 1)
  const inside = /thread on (\d+)/.exec(app.output.stdout)?.[1]
  t.equal(await ask(app.url, 'gray'), 'main gray[gray]')
  t.equal(await ask(`http://127.0.0.1:${inside}`, 'gray'), 'thread gray[gray]')
  t.equal(await ask(`http://127.0.0.1:${inside}`), 'thread base[]')
  t.strictSame(
    nacos.instances('sc-P').map(one => one.port),
    [app.port],
  )
})

t.test('the registry gets LANEWAY_PORT, whatever port the process listens on', async t => {
  const nacos = await createNacosDevServer({ port: 0 }).start()
  t.teardown(() => nacos.close())
  const app = await startApp(t, program('plain.mjs'), {
    environment: { LANEWAY_NACOS: nacos.address, LANEWAY_SERVICE: 'sc-P', LANEWAY_PORT: '8080' },
  })
  await nacos.until(({ instances }) => instances('sc-P').length > 0)
  t.strictSame(
    nacos.instances('sc-P').map(({ ip, port }) => ({ ip, port })),
    [{ ip: '127.0.0.1', port: 8080 }],
  )
  t.not(app.port, 8080)
  t.equal(await ask(app.url), 'done')
})
