import t from 'tap'
import { ask, program, startApp } from './start-app.js'

const LANES = ['gray', undefined, 'blue', 'gray', undefined, 'blue']
const EXPECTED = LANES.map(tag => tag ?? 'none')

for (const framework of ['express', 'express4', 'wrapped', 'koa', 'fastify', 'fastify4', 'nest']) {
  t.test(`${framework} runs in the lane of its request behind a shared queue, the first included`, async t => {
    const app = await startApp(t, program('layers.mjs'), { args: [framework] })
    for (const path of framework === 'nest' ? ['/'] : ['/', '/error']) {
      for (let round = 0; round < 2; round++) {
        t.strictSame(await Promise.all(LANES.map(tag => ask(app.url + path, tag))), EXPECTED, path)
      }
    }
    t.equal(app.output.stderr, '')
  })
}

for (const framework of ['express', 'koa', 'fastify']) {
  t.test(`LANEWAY_DISABLE=${framework} leaves the layers alone`, async t => {
    const environment = { LANEWAY_DISABLE: framework }
    const app = await startApp(t, program('layers.mjs'), { args: [framework], environment })
    const answers = await Promise.all(LANES.map(tag => ask(`${app.url}/`, tag)))
    t.equal(new Set(answers).size, 1, 'all in the lane of the one that was last')
  })
}
