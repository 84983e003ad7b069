import t from 'tap'
import { startFarService } from './far-service.js'
import { ask, program, startApp } from './start-app.js'

for (const framework of ['koa', 'hono', 'nest', 'express', 'fastify']) {
  t.test(`an unchanged ${framework} application is a lane member`, async t => {
    const far = await startFarService(t)
    const app = await startApp(t, program(`${framework}.mjs`), { environment: far.environment })
    for (let round = 0; round < 3; round++) {
      const answers = await Promise.all([ask(app.url, 'gray'), ask(app.url), ask(app.url, 'blue')])
      t.strictSame(answers, ['gray[gray] gray[gray]', 'base[] base[]', 'base[blue] base[blue]'])
    }
    t.equal(app.output.stderr, '')
  })
}

t.test('inject() of Fastify reads the lane of the injected request, which is untagged without one', async t => {
  const far = await startFarService(t)
  const app = await startApp(t, program('fastify.mjs'), { environment: far.environment })
  t.equal(await ask(`${app.url}/injected?lane=gray`), 'gray[gray] gray[gray]')
  t.equal(await ask(`${app.url}/injected?lane=gray`, 'blue'), 'gray[gray] gray[gray]')
  t.equal(await ask(`${app.url}/injected`), 'base[] base[]')
  t.equal(await ask(`${app.url}/injected`, 'blue'), 'base[] base[]')
})

t.test('LANEWAY_DISABLE=fastify leaves inject() alone', async t => {
  const far = await startFarService(t)
  const environment = { ...far.environment, LANEWAY_DISABLE: 'fastify' }
  const app = await startApp(t, program('fastify.mjs'), { environment })
  t.equal(await ask(`${app.url}/injected?lane=gray`), 'base[] base[]')
  t.equal(await ask(app.url, 'gray'), 'gray[gray] gray[gray]')
})
