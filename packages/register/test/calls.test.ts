import t from 'tap'
import { nodeBinary } from '../../../scripts/node-versions.mjs'
import { startFarService } from './far-service.js'
import { ask, program, startApp } from './start-app.js'

for (const node of [20, 26]) {
  t.test(`every way to call with node:http carries the lane and finds its instance, Node ${node}`, async t => {
    const binary = await nodeBinary(node)
    if (binary === undefined) {
      t.comment(`skipped: Node ${node} cannot be had here`)
      return
    }
    const far = await startFarService(t)
    const app = await startApp(t, program('calls.mjs'), { environment: far.environment, node: binary })
    const forms = JSON.parse(await ask(`${app.url}/forms`)) as string[]
    t.ok(forms.length > 20)
    for (const form of forms) {
      const call = (tag?: string) => ask(`${app.url}/?form=${encodeURIComponent(form)}`, tag)
      const answers = await Promise.all([call('gray'), call(), call('blue'), call('gray')])
      t.strictSame(answers, ['gray[gray]', 'base[]', 'base[blue]', 'gray[gray]'], form)
    }
    t.equal(app.output.stderr, '')
  })
}
