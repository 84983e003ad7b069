import t from 'tap'
import { build, preload, runProgram } from './program.js'

await build()

const WAYS = {
  'OpenTelemetry first, by code': [{ order: 'otel-first' }, []],
  'Laneway first, by code': [{ order: 'laneway-first' }, []],
  '--require': [{}, ['--require', preload('preload.cjs')]],
  '--import': [{}, ['--import', preload('preload.mjs')]],
} as const

for (const [name, [input, nodeArguments]] of Object.entries(WAYS)) {
  for (const propagator of [undefined, { trust: 'internal' }]) {
    const title = propagator === undefined ? 'without LanePropagator' : `with LanePropagator, trust ${propagator.trust}`
    t.test(`${name}, ${title}: a spoofed tag and baggage end at the edge`, async t => {
      const result = await runProgram('edge', { ...input, propagator }, { nodeArguments })
      const clean = { baggage: 'a=1,b=2;p=1', traced: true }
      for (const framework of ['express', 'fastify', 'http']) {
        const { active, calls } = result[framework]
        t.strictSame(active, [
          ['a', '1'],
          ['b', '2'],
        ])
        for (const client of ['http.get', 'LaneAgent', 'undici'])
          t.strictSame(calls[client], clean, `${framework}, ${client}`)
      }
    })
  }

  t.test(`${name}: a believed tag goes on, and is the first entry of the baggage`, async t => {
    const result = await runProgram('edge', { ...input, trust: 'private', baggage: true }, { nodeArguments })
    for (const framework of ['express', 'fastify', 'http']) {
      const { active, calls } = result[framework]
      t.strictSame(active[0], ['x-mse-tag', 'gray'], framework)
      t.match(calls.LaneAgent, { tag: 'gray', baggage: 'x-mse-tag=gray,a=1,b=2;p=1' }, framework)
      t.match(calls['http.get'], { tag: undefined, baggage: 'x-mse-tag=gray,a=1,b=2;p=1' }, framework)
    }
  })
}
