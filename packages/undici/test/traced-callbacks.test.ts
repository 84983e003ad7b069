import { createServer } from 'node:http'
import { readPath } from '@laneway/core'
import { laneHandler } from '@laneway/http'
import { listen } from '@laneway/testkit'
import { fakeResolver } from '@laneway/testkit/egress'
import t from 'tap'
import * as undici7 from 'undici'
import * as undici6 from 'undici6'
import { composeLane } from '../src/index.js'

for (const [major, undici] of Object.entries({ 6: undici6 as unknown as typeof undici7, 7: undici7 })) {
  t.test(
    `undici ${major}: callbacks run in the trace of their request, on a socket of another one of that lane`,
    async t => {
      const dispatcher = composeLane(new undici.Agent({ connections: 1 }), { warn() {} })
      t.teardown(() => dispatcher.destroy())
      const c = laneHandler((_, response) => response.end(), { trace: { name: 'C' } })
      const origin = `http://127.0.0.1:${await listen(t, createServer(c))}`
      // What undici calls directly: its own functions and promises keep the context by themselves.
      const call = (done: () => void) => {
        const handler = { onConnect() {}, onHeaders: () => true, onData: () => true, onComplete: done, onError: done }
        dispatcher.dispatch({ origin, path: '/', method: 'GET' }, handler as never)
      }
      const b = laneHandler((_, response) => call(() => call(() => response.end())), { trace: { name: 'B' } })
      const url = `http://127.0.0.1:${await listen(t, createServer(b))}/`
      for (const time of ['opens the socket', 'comes second', 'comes third']) {
        const answer = await undici.request(url, { headers: { 'x-laneway-trace': '1', 'x-mse-tag': 'gray' } })
        await answer.body.dump()
        t.match(readPath(answer)?.calls, [{ path: { service: 'C' } }, { path: { service: 'C' } }], time)
      }
    },
  )
}

for (const [major, undici] of Object.entries({ 6: undici6 as unknown as typeof undici7, 7: undici7 })) {
  t.test(`undici ${major}: the answer of a call that a path has no room for is as without a trace`, async t => {
    const c = laneHandler((_, response) => response.end(), { trace: { name: 'C' } })
    const port = await listen(t, createServer(c))
    const dispatcher = composeLane(new undici.Agent(), { resolver: fakeResolver({ 'sc-c': [{ port }] }), warn() {} })
    t.teardown(() => dispatcher.destroy())
    const seen = new Set<unknown>()
    const b = laneHandler(
      async (_, response) => {
        for (let call = 0; call < 258; call++) {
          const { headers, body } = await undici.request('http://sc-c/', { dispatcher })
          seen.add(headers['x-laneway-path'])
          await body.dump()
        }
        response.end()
      },
      { trace: { name: 'B' } },
    )
    const url = `http://127.0.0.1:${await listen(t, createServer(b))}/`
    const answer = await undici.request(url, { headers: { 'x-laneway-trace': '1' } })
    await answer.body.dump()
    t.equal(readPath(answer)?.service, 'B')
    t.strictSame([...seen], [undefined])
  })
}
