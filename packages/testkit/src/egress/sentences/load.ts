import { runInLane } from '@laneway/core'
import { createLaneResolver, createStaticSource, type LaneResolver, type LaneResolverOptions } from '@laneway/discovery'
import type { Test } from 'tap'
import type { Answer } from '../seen-server.js'
import { closedPort, seenServer } from '../seen-server.js'
import { failure, type Sentences } from '../sentences.js'

/** The real resolver over one service `sc-b`. */
async function resolverOf(
  t: Test,
  ports: readonly (readonly [port: number, ...tags: string[]])[],
  options: Partial<LaneResolverOptions>,
): Promise<LaneResolver> {
  const endpoints = ports.map(([port, ...tags]) => ({ host: '127.0.0.1', port, tags }))
  const sources = [createStaticSource({ 'sc-b': endpoints })]
  const resolver = createLaneResolver({ sources, services: ['sc-b'], env: {}, ...options })
  t.teardown(() => resolver.close())
  await resolver.ready('sc-b')
  return resolver
}

const answers =
  (status: number): Answer =>
  (_, response) => {
    response.statusCode = status
    response.end()
  }

/** What adapters report, so that the resolver can keep load from endpoints that cannot bear it. */
export const loadSentences: Sentences = {
  async 'an endpoint that answers with 5xx in a row is ejected where statuses are counted'(t, adapter) {
    const good = await seenServer(t, 'good', answers(204))
    const bad = await seenServer(t, 'bad', answers(503))
    const options: Partial<LaneResolverOptions>[] = [
      { outlier: { consecutive5xx: 3, ejectionMs: 60_000 } },
      { outlier: { consecutiveGatewayErrors: 3, ejectionMs: 60_000 } },
      {},
    ]
    for (const [index, one] of options.entries()) {
      bad.seen.length = 0
      const ports = [good.port, bad.port].map(port => [port, 'gray'] as const)
      const resolver = await resolverOf(t, ports, { balancer: 'round-robin', ...one })
      const client = adapter.client(t, { resolver })
      for (let i = 0; i < 20; i++) await runInLane('gray', client, 'http://sc-b/')
      t.equal(bad.seen.length, index === 2 ? 10 : 3, JSON.stringify(one))
    }
  },

  async 'when all endpoints of a lane are full, a request fails with LANEWAY_OVERLOADED until one is free'(t, adapter) {
    const waiting: (() => void)[] = []
    const arrivals: (() => void)[] = []
    const slow: Answer = (_, response) => {
      waiting.push(() => response.end('done'))
      arrivals.shift()?.()
    }
    const gray = [await seenServer(t, 'gray', slow), await seenServer(t, 'gray', slow)]
    const base = await seenServer(t, 'base', answers(200))
    const ports = [...gray.map(one => [one.port, 'gray'] as const), [base.port] as const]
    const resolver = await resolverOf(t, ports, { maxInFlight: 1 })
    const client = adapter.client(t, { resolver })
    const calls = []
    for (let i = 0; i < 2; i++) {
      const arrived = new Promise<void>(resolve => arrivals.push(resolve))
      calls.push(runInLane('gray', client, 'http://sc-b/'))
      await arrived
    }
    t.strictSame(
      gray.map(one => one.seen.length),
      [1, 1],
      'the second went to the one that was free',
    )
    t.match(await failure(adapter, runInLane('gray', client, 'http://sc-b/')), { code: 'LANEWAY_OVERLOADED' })
    t.equal(base.seen.length, 0, 'base does not help out')
    waiting.shift()!()
    waiting.shift()!()
    await Promise.all(calls)
    const arrived = new Promise<void>(resolve => arrivals.push(resolve))
    const next = runInLane('gray', client, 'http://sc-b/')
    await arrived
    waiting.shift()!()
    t.match(await next, { status: 200, body: 'done' })
  },

  async 'without a reconnect left, a request fails with the error of its connection'(t, adapter) {
    const base = await seenServer(t, 'base', answers(200))
    const refused = await closedPort()
    const ports = [[refused, 'gray'], [base.port]] as const
    const spent = await resolverOf(t, ports, { reconnectBudget: { share: 0, perSecond: 0 } })
    const call = runInLane('gray', adapter.client(t, { resolver: spent }), 'http://sc-b/')
    t.match(await failure(adapter, call), { code: 'ECONNREFUSED' })
    t.equal(base.seen.length, 0)
    const resolver = await resolverOf(t, ports, {})
    t.match(await runInLane('gray', adapter.client(t, { resolver }), 'http://sc-b/'), { status: 200 })
  },
}
