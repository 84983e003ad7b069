import { createServer } from 'node:net'
import { createLaneResolver, createStaticSource } from '@laneway/discovery'
import { listen } from '@laneway/testkit'
import { seenServer } from '@laneway/testkit/egress'
import type { Test } from 'tap'
import { composeLane } from '../../src/index.js'
import type { Copy } from './undici-copy.js'

export function timeoutSuite(t: Test, { undici }: Copy): void {
  t.test('a frozen instance gets no more requests after five that had no answer in time', async t => {
    const alive = await seenServer(t, 'alive')
    const ways: Record<string, (dispatcher: never) => Promise<unknown>> = {
      headersTimeout: async dispatcher =>
        (await undici.request('http://sc-b/', { dispatcher, headersTimeout: 200 })).body.text(),
      'request with AbortSignal.timeout': async dispatcher =>
        (await undici.request('http://sc-b/', { dispatcher, signal: AbortSignal.timeout(200) })).body.text(),
      'fetch with AbortSignal.timeout': async dispatcher =>
        (await undici.fetch('http://sc-b/', { dispatcher, signal: AbortSignal.timeout(200) })).text(),
    }
    for (const [how, ask] of Object.entries(ways)) {
      let asked = 0
      // It accepts connections and never says a word, as a stopped process does.
      const frozen = createServer(socket => {
        socket.on('error', () => {})
        socket.on('data', () => asked++)
      })
      const endpoints = [await listen(t, frozen), alive.port].map(port => ({ host: '127.0.0.1', port }))
      const resolver = createLaneResolver({
        sources: [createStaticSource({ 'sc-b': endpoints })],
        services: ['sc-b'],
        balancer: 'round-robin',
        outlier: { ejectionMs: 60_000, maxEjectionMs: 60_000 },
      })
      await resolver.ready('sc-b')
      const dispatcher = composeLane(new undici.Agent({ connections: 4 }), { resolver })
      t.teardown(() => Promise.all([dispatcher.destroy(), resolver.close()]))
      for (let turn = 0; turn < 10; turn++) await ask(dispatcher as never).catch(() => {})
      t.equal(resolver.state('sc-b')?.base.ejected, 1, how)
      const stuck = asked
      t.ok(stuck > 0)
      const before = alive.seen.length
      for (let turn = 0; turn < 10; turn++) await ask(dispatcher as never).catch(() => {})
      t.equal(asked, stuck, `${how}: none since`)
      t.equal(alive.seen.length - before, 10, `${how}: the other one has them all`)
    }
  })
}
