import { createServer } from 'node:http'
import { readPath } from '@laneway/core'
import { laneHandler } from '@laneway/http'
import { listen } from '@laneway/testkit'
import t from 'tap'
import * as undici7 from 'undici'
import * as undici6 from 'undici6'
import { composeLane } from '../src/index.js'

const traced = { 'x-laneway-trace': '1', 'x-mse-tag': 'gray' }

for (const [major, undici] of Object.entries({ 6: undici6 as unknown as typeof undici7, 7: undici7 })) {
  t.test(
    `undici ${major}: a callback runs in the trace of its own request, also when another one of that lane causes it`,
    async t => {
      const dispatcher = composeLane(new undici.Agent(), { warn() {} })
      t.teardown(() => dispatcher.destroy())
      const silent = `http://127.0.0.1:${await listen(
        t,
        createServer(() => {}),
      )}`
      const c = `http://127.0.0.1:${await listen(t, createServer(laneHandler((_, response) => response.end(), { trace: { name: 'C' } })))}`
      const held = new AbortController()
      let waiting = () => {}
      const waits = new Promise<void>(resolve => {
        waiting = resolve
      })
      const b = createServer(
        laneHandler(
          (incoming, response) => {
            if (incoming.url === '/second') {
              held.abort()
              response.end()
              return
            }
            dispatcher.request({ origin: silent, path: '/', method: 'GET', signal: held.signal }, () => {
              dispatcher.request({ origin: c, path: '/', method: 'GET' }, (_error, answer) => {
                void answer.body.dump().then(() => response.end())
              })
            })
            waiting()
          },
          { trace: { name: 'B' } },
        ),
      )
      const url = `http://127.0.0.1:${await listen(t, b)}/`
      const first = undici.request(url, { headers: traced })
      await waits
      const second = await undici.request(`${url}second`, { headers: traced })
      t.strictSame(readPath(second)?.calls, [], 'the second request has called nothing')
      t.match(readPath(await first)?.calls, [{ status: 'aborted' }, { status: 200, path: { service: 'C' } }])
      await Promise.all([(await first).body.dump(), second.body.dump()])
    },
  )
}
