import { runInLane } from '@laneway/core'
import type { LaneResolver } from '@laneway/discovery'
import { closedPort, fakeResolver, faulty, faultyAtEnd, seenServer } from '@laneway/testkit/egress'
import t from 'tap'
import * as undici7 from 'undici'
import * as undici6 from 'undici6'
import { createUndiciPatch } from '../src/internal.js'
import { patch } from './suite/patched-copy.js'
import type { UndiciCopy } from './suite/undici-copy.js'

for (const [copy, undici] of Object.entries({
  undici6: undici6 as unknown as UndiciCopy,
  undici7: undici7 as UndiciCopy,
})) {
  const all: typeof faulty = { ...faulty, finished: faultyAtEnd }
  // A copy is patched once; the resolver behind the patch is each test's own.
  let current: LaneResolver = fakeResolver({})
  const faults: unknown[] = []
  const resolver = new Proxy({} as LaneResolver, { get: (_target, key) => current[key as keyof LaneResolver] })
  patch(
    undici,
    createUndiciPatch({ resolver, warn: () => {} }, error => faults.push(error)),
  )
  const later = (dispatch: any) => (options: unknown, handler: unknown) => {
    setImmediate(() => dispatch(options, handler))
    return true
  }
  const dispatchers: Record<string, () => any> = {
    'an Agent': () => new undici.Agent(),
    'a composed Agent': () => new undici.Agent().compose(undici.interceptors.retry({ maxRetries: 1, minTimeout: 1 })),
    'an Agent whose interceptor dispatches later': () => new undici.Agent().compose(later),
    'a RetryAgent': () => new undici.RetryAgent(new undici.Agent(), { maxRetries: 1, minTimeout: 1 }),
  }
  for (const [title, make] of Object.entries(dispatchers)) {
    t.test(`${copy}, patched: ${title} does without a resolver that throws`, async t => {
      const server = await seenServer(t, 'served')
      const refused = await closedPort()
      const url = `http://127.0.0.1:${server.port}/`
      for (const [fault, broken] of Object.entries(all)) {
        for (const client of ['request', 'fetch'] as const) {
          current = broken(server.port, refused)
          const dispatcher = make()
          t.teardown(() => dispatcher.close())
          faults.length = 0
          const options = { dispatcher, method: 'POST', body: 'whole' } as const
          const answer = await runInLane('gray', async () =>
            client === 'request'
              ? await (await undici.request(url, options)).body.json()
              : await (await undici.fetch(url, options)).json(),
          )
          t.match(answer, { instance: 'served', tags: ['gray'], body: 'whole' }, `${client}: ${fault}`)
          t.match(faults, [{ message: 'broken' }], `${client}: ${fault}, reported once`)
        }
      }
    })
  }
}
