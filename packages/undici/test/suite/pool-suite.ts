import { createServer } from 'node:http'
import type { Endpoint } from '@laneway/discovery'
import { listen } from '@laneway/testkit'
import { endpoint, fakeResolver, seenServer } from '@laneway/testkit/egress'
import type { Test } from 'tap'
import { internal } from '../../src/dispatcher/internals.js'
import { composeLane } from '../../src/index.js'
import type { Copy } from './undici-copy.js'

const ENDPOINTS = 2000
const LIVE = 20

export function poolSuite(t: Test, copy: Copy): void {
  const { undici } = copy
  const poolsOf = (agent: object) => (internal(agent, 'clients') as Map<string, unknown>).size

  t.test('2,000 endpoints come and go: their pools are closed after their requests', async t => {
    const server = createServer((_request, response) => response.end())
    // One port; 127.0.0.0/8 has addresses enough.
    const port = await listen(t, server)
    await new Promise<void>(resolve => server.close(() => resolve()))
    await new Promise<void>(resolve => server.listen(port, '0.0.0.0', resolve))
    const all = Array.from({ length: ENDPOINTS }, (_, index) =>
      endpoint(`127.1.${Math.floor(index / 250)}.${(index % 250) + 1}`, port),
    )
    const resolver = fakeResolver({ 'sc-b': [] })
    const agent = new undici.Agent()
    const dispatcher = composeLane(agent, { resolver })
    let most = 0
    for (let from = 0; from < ENDPOINTS; from += LIVE) {
      resolver.set('sc-b', all.slice(from, from + LIVE))
      await Promise.all(
        Array.from({ length: LIVE }, async () => (await undici.request('http://sc-b/', { dispatcher })).body.dump()),
      )
      most = Math.max(most, poolsOf(agent))
    }
    t.equal(new Set(resolver.ends.map(({ address }) => address)).size, ENDPOINTS, 'every endpoint was used')
    t.ok(most <= LIVE + 10, `at most ${most} pools for ${LIVE} live endpoints`)
    resolver.set('sc-b', [])
    t.equal(poolsOf(agent), 0)
    await dispatcher.close()
  })

  t.test('a pool is closed after its requests, not under them', async t => {
    const answers: (() => void)[] = []
    const server = await seenServer(t, 'base', (_seen, response) => answers.push(() => response.end('whole')))
    const one: Endpoint = endpoint('127.0.0.1', server.port)
    const resolver = fakeResolver({ 'sc-b': [one] })
    const agent = new undici.Agent({ connections: 1 })
    const dispatcher = composeLane(agent, { resolver })
    const get = async () => (await undici.request('http://sc-b/', { dispatcher })).body.text()
    const both = [get(), get()]
    while (answers.length < 1) await new Promise(setImmediate)
    resolver.set('sc-b', [])
    t.equal(poolsOf(agent), 0)
    resolver.set('sc-b', [one])
    const third = get()
    while (answers.length < 2) await new Promise(setImmediate)
    answers.shift()!()
    while (answers.length < 2) await new Promise(setImmediate)
    for (const answer of answers) answer()
    t.same(await Promise.all([...both, third]), ['whole', 'whole', 'whole'])
    await dispatcher.close()
  })

  t.test('a closed dispatcher no longer follows the resolver', async t => {
    let listeners = 0
    const resolver = fakeResolver({})
    const { onEndpointGone } = resolver
    resolver.onEndpointGone = listener => {
      listeners++
      const stop = onEndpointGone(listener)
      return () => {
        listeners--
        stop()
      }
    }
    const dispatchers = [1, 2, 3].map(() => composeLane(new undici.Agent(), { resolver }))
    t.equal(listeners, 3)
    await dispatchers[1]!.close()
    await dispatchers[0]!.destroy()
    t.equal(listeners, 1)
    await dispatchers[2]!.close()
    t.equal(listeners, 0)
  })
}
