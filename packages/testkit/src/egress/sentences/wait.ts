import { once } from 'node:events'
import { runInLane } from '@laneway/core'
import type { Choice, LaneResolver } from '@laneway/discovery'
import { endpoint, type FakeResolver, fakeResolver } from '../fake-resolver.js'
import { closedPort, seenServer } from '../seen-server.js'
import { echoed, failure, type Sentences } from '../sentences.js'

/** A resolver with a service `late` that has no snapshot, and a promise for the first call that waits for it. */
function lateResolver(): { resolver: FakeResolver; waiting: Promise<void> } {
  const resolver = fakeResolver({ late: undefined })
  const { onLookup } = resolver
  const waiting = new Promise<void>(resolve => {
    resolver.onLookup = service => {
      resolve()
      return onLookup(service)
    }
  })
  return { resolver, waiting }
}

/** What happens before the sources have answered. */
export const waitSentences: Sentences = {
  async 'a service without a snapshot is waited for, without blocking others'(t, adapter) {
    const far = await seenServer(t, 'far')
    const { resolver, waiting } = lateResolver()
    resolver.services['sc-c'] = [{ port: far.port }]
    const client = adapter.client(t, { resolver })
    const answer = runInLane('gray', client, 'http://late/', { method: 'POST', body: 'whole' })
    await waiting
    t.equal((await client('http://sc-c/')).status, 200)
    resolver.arrive('late', [{ port: far.port }])
    t.match(echoed(await answer), { tags: ['gray'], host: 'late', body: 'whole' })
  },

  async 'a wait that is in vain is the error of the request'(t, adapter) {
    const { resolver, waiting } = lateResolver()
    const answer = failure(adapter, adapter.client(t, { resolver })('http://late/'))
    await waiting
    resolver.refuse(Object.assign(new Error('too late'), { code: 'LANEWAY_NOT_READY' }))
    t.match(await answer, { code: 'LANEWAY_NOT_READY' })
  },

  async 'a caller that aborts while it waits ends at once'(t, adapter) {
    const { resolver, waiting } = lateResolver()
    const controller = new AbortController()
    const answer = adapter.client(t, { resolver })('http://late/', { signal: controller.signal })
    await waiting
    controller.abort()
    await t.rejects(answer)
    t.equal(resolver.inFlight, 0)
  },

  async 'a service that has become ready may turn out not to be what the host and port name'(t, adapter) {
    const outside = await seenServer(t, 'outside')
    for (const [how, arrives] of [
      ['another port than its own', (resolver: FakeResolver) => resolver.arrive('late', [{ port: 1 }])],
      ['no registry lists it', (resolver: FakeResolver) => resolver.refuse(new Error('never came'))],
    ] as const) {
      for (const [host, tags] of [
        ['late', ['gray']],
        ['late.example', []],
      ] as const) {
        const { resolver, waiting } = lateResolver()
        let ready = false
        // As the resolver has it: before the first snapshot the ports are unknown.
        resolver.match = () => (ready ? undefined : 'late')
        const client = adapter.client(t, { resolver, keepHandSet: true, warn() {} })
        const answer = runInLane('gray', client, `http://${host}:${outside.port}/x`, { method: 'POST', body: 'whole' })
        await waiting
        ready = true
        arrives(resolver)
        t.match(echoed(await answer), { tags, body: 'whole', host: `${host}:${outside.port}` }, `${how}: ${host}`)
        t.strictSame(resolver.starts, [])
      }
    }
  },

  async 'a resolver that throws fails the request, not the process'(t, adapter) {
    const server = await seenServer(t, 'base')
    const refused = await closedPort()
    for (const [fault, make] of Object.entries(faulty)) {
      const answer = adapter.client(t, { resolver: make(server.port, refused) })('http://sc-b/')
      t.match(await failure(adapter, answer), { message: 'broken' }, fault)
    }
    t.equal(server.seen.length, 0)
  },

  async 'a resolver that throws after the end is reported, and changes nothing'(t, adapter) {
    const server = await seenServer(t, 'base')
    const resolver = faultyAtEnd(server.port)
    const warned = once(process, 'warning')
    t.match(echoed(await adapter.client(t, { resolver })('http://sc-b/')), { instance: 'base' })
    t.match(await warned, [{ name: 'LanewayWarning', message: /broken/ }])
  },
}

/** Resolvers with a fault in them, by the place of the fault; `serving` is the port of a server, `refused` of none. */
export const faulty: Record<string, (serving: number, refused: number) => LaneResolver> = {
  match: () => ({ ...always(), match: throwing(1, () => 'sc-b') }),
  pick: () => ({ ...always(), pick: throwing(1, notReady) }),
  started: serving => ({ ...always(), pick: at(serving), started: throwing(1, () => {}) }),
  lookup: () => ({ ...always(), pick: notReady, lookup: throwing(1, async () => {}) }),
  'pick, after the wait for the first snapshot': () => ({ ...always(), pick: throwing(2, notReady) }),
  'match, after the wait for the first snapshot': () => ({
    ...always(),
    match: throwing(2, () => 'sc-b'),
    pick: notReady,
  }),
  'pick, after a connect error': (_serving, refused) => ({ ...always(), pick: throwing(2, at(refused)) }),
}

/** Throws when the end of a request is reported to it. */
export const faultyAtEnd = (serving: number): LaneResolver => ({
  ...always(),
  pick: at(serving),
  finished: throwing(1, () => {}),
})

function always(): LaneResolver {
  return { ...fakeResolver({}), match: () => 'sc-b', lookup: async () => {} }
}

function notReady(): Choice {
  return { service: 'sc-b', endpoint: undefined, outcome: 'not-ready', served: undefined }
}

function at(port: number): () => Choice {
  const choice = { service: 'sc-b', endpoint: endpoint('127.0.0.1', port), outcome: 'base', served: undefined } as const
  return () => choice
}

/** Throws from the nth call on. */
function throwing<A extends unknown[], R>(nth: number, fn: (...args: A) => R): (...args: A) => R {
  let calls = 0
  return (...args) => {
    if (++calls >= nth) throw new Error('broken')
    return fn(...args)
  }
}
