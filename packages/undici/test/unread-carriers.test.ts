// A carrier that no ingress of the process reads is the application's: neither client removes it, except for hosts outside.
import { createServer, get } from 'node:http'
import { runInLane } from '@laneway/core'
import { createIngress } from '@laneway/core/internal'
import { LaneAgent } from '@laneway/http'
import { listen } from '@laneway/testkit'
import { composeLane } from '@laneway/undici'
import t, { type Test } from 'tap'
import { Agent, request } from 'undici'
import { loopback } from './suite/undici-copy.js'

const clients = {
  http: (t: Test, url: string, baggage: string) => {
    const agent = new LaneAgent({ warn() {} })
    t.teardown(() => agent.destroy())
    return new Promise(resolve => get(url, { agent, headers: { baggage }, lookup: loopback as never }, resolve))
  },
  undici: async (t: Test, url: string, baggage: string) => {
    const dispatcher = composeLane(new Agent({ connect: { lookup: loopback as never } }), { warn() {} })
    t.teardown(() => dispatcher.destroy())
    return (await request(url, { dispatcher, headers: { baggage } })).body.dump()
  },
} as const

for (const formats of [undefined, ['header', 'mse-baggage']] as const) {
  for (const [name, send] of Object.entries(clients)) {
    t.test(`${name}, ${formats === undefined ? 'all carriers are read' : 'W3C baggage is not read'}`, async t => {
      if (formats !== undefined) createIngress('test', { formats })
      const seen: (string | undefined)[] = []
      const port = await listen(
        t,
        createServer((request, response) => {
          seen.push(request.headers['baggage'] as string | undefined)
          response.end()
        }),
      )
      const inside = `http://127.0.0.1:${port}/`
      await send(t, inside, 'a=1,x-mse-tag=gray')
      await send(t, `http://third.example:${port}/`, 'a=1,x-mse-tag=gray')
      await runInLane('gray', send, t, inside, 'a=1,x-mse-tag=gray')
      await runInLane('gray', send, t, inside, 'a=1,x-mse-tag=blue')
      const untagged = formats === undefined ? 'a=1' : 'a=1,x-mse-tag=gray'
      t.strictSame(seen, [untagged, 'a=1', 'a=1,x-mse-tag=gray', 'x-mse-tag=gray,a=1'])
    })
  }
}
