import t from 'tap'
import { startFarService } from './far-service.js'
import { ask, program, startApp } from './start-app.js'

t.test('every way to call with node:http carries the lane and finds its instance', async t => {
  const far = await startFarService(t)
  const app = await startApp(t, program('calls.mjs'), { environment: far.environment })
  const forms = JSON.parse(await ask(`${app.url}/forms`)) as string[]
  t.ok(forms.length > 20)
  for (const form of forms) {
    const call = (tag?: string) => ask(`${app.url}/?form=${encodeURIComponent(form)}`, tag)
    const answers = await Promise.all([call('gray'), call(), call('blue'), call('gray')])
    t.strictSame(answers, ['gray[gray]', 'base[]', 'base[blue]', 'gray[gray]'], form)
  }
  t.equal(app.output.stderr, '')
})
