import t from 'tap'
import { startFarService } from './far-service.js'
import { ask, program, startApp } from './start-app.js'

t.test('an object that cannot be looked at, or a class that cannot be changed, costs no other its lane', async t => {
  const far = await startFarService(t)
  const app = await startApp(t, program('emitters.mjs'), { environment: far.environment })
  for (let round = 0; round < 2; round++) {
    t.equal(await ask(app.url, 'gray'), 'gray[gray] gray[gray] gray[gray]')
    t.equal(await ask(app.url), 'base[] base[] base[]')
  }
  // The frozen classes: told once. The mistakes of the caller: not told.
  t.same(app.output.stderr.match(/\w+ had a fault/g), ['undici had a fault'])
  t.match(app.output.stderr, /read only property/)
})

t.test('a mocked service call stays in the mock, which sees the tag and the name of the service', async t => {
  const far = await startFarService(t)
  const app = await startApp(t, program('mocking.mjs'), { environment: far.environment })
  for (const [lane, tag] of [
    ['gray', 'gray'],
    [undefined, ''],
  ] as const) {
    const real = lane === undefined ? 'base[]' : 'gray[gray]'
    const said = ['mocked', 'mocked', 'mocked', 'mocked', 'refused', 'refused', real, real]
    const asked = [0, 1, 2, 3].map(() => `http://svc[${tag}]`)
    const answers = JSON.parse(await ask(app.url, lane)) as Record<string, { said: string[]; asked: string[] }>
    for (const major of ['6', '7']) {
      t.same(answers[major]?.said, said, `undici ${major}`)
      // A pool that is asked itself has no origin among its options.
      t.same(
        answers[major]?.asked.map(one => one.replace('undefined', 'http://svc')),
        asked,
        `undici ${major}`,
      )
    }
  }
  t.equal(app.output.stderr, '')
})

t.test('currentLane() of a copy in another realm is that of the request', async t => {
  const app = await startApp(t, program('realms.mjs'))
  t.equal(await ask(app.url, 'gray'), 'gray')
  t.equal(await ask(app.url), 'none')
})

t.test('a copy of undici before 6.8 is left alone, and the diagnosis says so', async t => {
  const app = await startApp(t, program('old-undici.mjs'), { environment: { LANEWAY_DIAGNOSE: '1' } })
  t.equal(await ask(app.url, 'gray'), 'true')
  t.match(app.output.stderr, /copies of undici: .*1 older than 6\.8 left alone: without tag, not routed/)
})
