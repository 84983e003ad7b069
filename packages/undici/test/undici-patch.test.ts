import { setTimeout as sleep } from 'node:timers/promises'
import { runInLane } from '@laneway/core'
import { endpoint, fakeResolver, type Seen, seenServer } from '@laneway/testkit/egress'
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
  t.test(`${copy}, patched: programs without lane code keep the lane of each request`, async t => {
    let wrong = 0
    const failedOnce = new Set<string>()
    const serve = (instance: string) =>
      seenServer(t, instance, async (seen, response) => {
        const meant = seen.headers['x-meant']
        if (meant !== undefined && (seen.tags.join('|') || 'none') !== meant) wrong++
        if (meant !== undefined && instance !== (meant === 'gray' ? 'gray' : 'base')) wrong++
        await sleep(Math.random() * 5)
        const id = seen.headers['x-id'] as string | undefined
        if (id !== undefined && seen.url === '/again' && !failedOnce.has(id)) {
          failedOnce.add(id)
          response.writeHead(503).end()
        } else response.end(JSON.stringify(seen))
      })
    const base = await serve('base')
    const gray = await serve('gray')
    const resolver = fakeResolver({
      'sc-b': [endpoint('127.0.0.1', base.port), endpoint('127.0.0.1', gray.port, 'gray')],
    })
    patch(undici, createUndiciPatch({ resolver, warn: () => {} }))
    const { retry } = undici.interceptors
    const dispatchers = {
      'an Agent': new undici.Agent(),
      'a bounded Agent': new undici.Agent({ connections: 2 }),
      'a composed bounded Agent': new undici.Agent({ connections: 2 }).compose(retry({ minTimeout: 1, maxTimeout: 2 })),
      'a RetryAgent': new undici.RetryAgent(new undici.Agent({ connections: 2 }), { minTimeout: 1, maxTimeout: 2 }),
    }
    for (const [title, dispatcher] of Object.entries(dispatchers)) {
      failedOnce.clear()
      await Promise.all(
        Array.from({ length: 60 }, (_, index) => {
          const lane = [undefined, 'gray', 'blue'][index % 3]
          const headers = { 'x-meant': lane ?? 'none', 'x-id': `${title} ${index}` }
          const retries = title.includes('composed') || title.includes('Retry')
          const url = retries ? 'http://sc-b/again' : 'http://sc-b/'
          return runInLane(lane, async () => {
            const answer =
              index % 2 === 0
                ? await undici.request(url, { dispatcher, headers })
                : await undici.fetch(url, { dispatcher, headers }).then(one => ({ statusCode: one.status, body: one }))
            t.equal(answer.statusCode, 200, title)
            await answer.body.text()
          })
        }),
      )
      t.equal(wrong, 0, title)
      await dispatcher.close()
    }

    // What has one origin is not steered, and tagged by that origin.
    const bounded = [
      new undici.Client(`http://127.0.0.1:${base.port}`),
      new undici.Pool(`http://127.0.0.1:${base.port}`, { connections: 1 }),
      new undici.BalancedPool([`http://127.0.0.1:${base.port}`], { connections: 1 }),
    ]
    for (const dispatcher of bounded) {
      const answers = await Promise.all(
        Array.from({ length: 30 }, (_, index) => {
          const lane = index % 3 === 0 ? undefined : `lane-${index}`
          return runInLane(lane, async () => {
            const { body } = await dispatcher.request({ path: '/', method: 'GET' })
            return ((await body.json()) as Seen).tags.join() === (lane ?? '')
          })
        }),
      )
      t.ok(
        answers.every(right => right),
        dispatcher.constructor.name,
      )
      await dispatcher.close()
    }
    t.equal(resolver.inFlight, 0)
  })
}
