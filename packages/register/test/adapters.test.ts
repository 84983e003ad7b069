import t from 'tap'
import { ask, program, startApp } from './start-app.js'

t.test('an adapter of the app decides again, over what the preload has left', async t => {
  const app = await startApp(t, program('edge.mjs'))
  t.equal(await ask(`${app.url}/strict`, 'gray'), 'none none', 'Express believes nobody')
  t.equal(await ask(`${app.url}/fastify`, 'gray'), 'none none', 'Fastify believes nobody')
  t.equal(await ask(`${app.url}/open`, 'gray'), 'gray gray', 'Express agrees')
  t.equal(await ask(`${app.url}/open`), 'none none')
})

t.test('it cannot bring back what the preload has refused', async t => {
  const app = await startApp(t, program('edge.mjs'), { environment: { LANEWAY_TRUST: 'edge' } })
  t.equal(await ask(`${app.url}/open`, 'gray'), 'none none')
})

t.test('it keeps the lane that the preload gave by itself', async t => {
  const app = await startApp(t, program('edge.mjs'), {
    environment: { LANEWAY_TAG: 'gray', LANEWAY_OWN_LANE: 'colour' },
  })
  t.equal(await ask(`${app.url}/strict`), 'none gray')
})
