import { once } from 'node:events'
import http from 'node:http'
import { currentLane, detachLane, runInLane } from '@laneway/core'
import { LaneAgent } from '@laneway/http'
import { fakeResolver } from '@laneway/testkit/egress'
import t from 'tap'
import { farServer } from './far-server.js'

const here = () => currentLane()?.header ?? 'none'

for (const [what, host] of Object.entries({ 'a service': 'sc-b', 'another host': '127.0.0.1' })) {
  t.test(`events of a request to ${what} run in the lane of its caller, whoever ends it`, async t => {
    const far = await farServer(t, () => {})
    const agent = new LaneAgent({ resolver: fakeResolver({ 'sc-b': [{ port: far.port }] }) })
    t.teardown(() => agent.destroy())
    const url = host === 'sc-b' ? 'http://sc-b/a' : `http://${host}:${far.port}/a`
    const seen: Record<string, string[]> = {}
    const calls = ['gray', 'blue', 'none'].map(lane => {
      const call = () => {
        const request = http.get(url, { agent })
        for (const event of ['timeout', 'error', 'close', 'own']) {
          request.on(event, () => {
            seen[lane] = [...(seen[lane] ?? []), `${event} ${here()}`]
          })
        }
        return request
      }
      return lane === 'none' ? detachLane(call)() : runInLane(lane, call)
    })
    await Promise.all(calls.map(call => once(call, 'finish')))
    const closed = calls.map(call => new Promise(resolve => call.on('close', resolve)))
    // A timer that requests share ends them all.
    runInLane('blue', () => {
      for (const call of calls) {
        call.emit('own')
        call.emit('timeout')
        call.destroy(new Error('late'))
      }
    })
    await Promise.all(closed)
    const all = (lane: string) => ['own', 'timeout', 'error', 'close'].map(event => `${event} ${lane}`)
    t.strictSame(seen, { gray: all('gray'), blue: all('blue'), none: all('none') })
  })
}
