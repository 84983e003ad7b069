import { runInLane } from '@laneway/core'
import t from 'tap'
import * as undici7 from 'undici'
import * as undici6 from 'undici6'
import { composeLane } from '../src/index.js'
import { endpoint, fakeResolver } from './fake-resolver.js'
import { laneServer, type Seen } from './lane-server.js'

for (const [name, undici] of Object.entries({ undici6, undici7: undici7 as unknown as typeof undici6 })) {
  t.test(`${name}: each request goes to its lane and carries its tag`, async t => {
    const base = await laneServer(t, 'base')
    const gray = await laneServer(t, 'gray')
    const resolver = fakeResolver({
      'sc-b': [endpoint('127.0.0.1', base.port), endpoint('127.0.0.1', gray.port, 'gray')],
    })
    const dispatcher = composeLane(new undici.Agent(), { resolver })
    t.teardown(() => dispatcher.close())
    const request = async (): Promise<Seen> =>
      (await (await undici.request('http://sc-b/x?y=1', { dispatcher })).body.json()) as Seen
    const fetch = async (): Promise<Seen> =>
      (await (await undici.fetch('http://sc-b/x?y=1', { dispatcher })).json()) as Seen

    for (const call of [request, fetch]) {
      const tagged = await runInLane('gray', call)
      t.match(tagged, { instance: 'gray', tags: ['gray'], host: 'sc-b', url: '/x?y=1' })
      const other = await runInLane('blue', call)
      t.match(other, { instance: 'base', tags: ['blue'], host: 'sc-b' })
      const untagged = await call()
      t.match(untagged, { instance: 'base', tags: [], host: 'sc-b' })
    }
    t.equal(resolver.inFlight, 0)
    t.ok(resolver.reports.every(([, end]) => end === 'ok'))
  })

  t.test(`${name}: interceptors of the user stand between capture and resolve`, async t => {
    const base = await laneServer(t, 'base')
    const gray = await laneServer(t, 'gray')
    const resolver = fakeResolver({
      'sc-b': [endpoint('127.0.0.1', base.port), endpoint('127.0.0.1', gray.port, 'gray')],
    })
    const dispatcher = composeLane(
      new undici.Agent(),
      { resolver },
      undici.interceptors.retry({ minTimeout: 1 }),
      undici.interceptors.redirect({ maxRedirections: 2 }),
    )
    t.teardown(() => dispatcher.close())
    for (const lane of ['gray', undefined]) {
      const one = await runInLane(lane, async () => {
        return (await (await undici.request('http://sc-b/', { dispatcher })).body.json()) as Seen
      })
      t.match(one, { instance: lane ?? 'base', tags: lane === undefined ? [] : [lane], host: 'sc-b' })
    }
  })
}
