import { runInLane } from '@laneway/core'
import { endpoint, fakeResolver, seenServer } from '@laneway/testkit/egress'
import t from 'tap'
import * as undici7 from 'undici'
import * as undici6 from 'undici6'
import { composeLane } from '../src/index.js'
import { createUndiciPatch } from '../src/internal.js'
import { patch } from './suite/patched-copy.js'
import type { UndiciCopy } from './suite/undici-copy.js'

const throwing = (name: string): object =>
  Object.defineProperty({}, name, {
    enumerable: true,
    get() {
      throw new Error(`own getter of ${name}`)
    },
  })

/** What a caller may get wrong, as options of `dispatcher.request`. */
const MISTAKES: Record<string, object> = {
  'no origin': { origin: undefined },
  'an origin that is no URL': { origin: 'no url' },
  'an origin of another protocol': { origin: 'ftp://sc-b' },
  'an origin that is a number': { origin: 1 },
  'an origin that is an object': { origin: {} },
  'an origin without host': { origin: 'http://' },
  'a path that is a number': { path: 1 },
  'a path without slash': { path: 'x' },
  'a path with a space': { path: '/a b' },
  'no path': { path: undefined },
  'a method that is a number': { method: 1 },
  'a method with a space': { method: 'G T' },
  'headers that are a text': { headers: 'x' },
  'headers in an odd list': { headers: ['a'] },
  'headers in pairs of one': { headers: new Set([['a']]) },
  'headers in no pairs': { headers: new Set([1]) },
  'headers whose iterator throws': {
    headers: {
      // biome-ignore lint/correctness/useYield: it throws
      *[Symbol.iterator]() {
        throw new Error('own iterator')
      },
    },
  },
  'a header that is an object': { headers: { 'x-a': {} } },
  'a host without text': { headers: { host: Object.create(null) } },
  'baggage without text': { headers: { baggage: Object.create(null) } },
  'a body that is a number': { method: 'POST', body: 1 },
  'a path whose getter throws': throwing('path'),
  'an origin whose getter throws': throwing('origin'),
  'headers whose getter throws': throwing('headers'),
}

for (const [copy, undici] of Object.entries({
  undici6: undici6 as unknown as UndiciCopy,
  undici7: undici7 as UndiciCopy,
})) {
  const plain: Record<string, unknown> = {}
  const outcome = (dispatcher: any, mistake: object) => {
    const options = { origin: 'http://sc-b', path: '/', method: 'GET' }
    Object.defineProperties(options, Object.getOwnPropertyDescriptors(mistake))
    return runInLane('gray', () =>
      dispatcher.request(options).then(
        () => 'answered',
        ({ name, code, message }: any) => ({ name, code, message }),
      ),
    )
  }
  t.test(`${copy}: undici itself reports a mistake of the caller`, async t => {
    const { port } = await seenServer(t, 'base')
    const resolver = fakeResolver({ 'sc-b': [endpoint('127.0.0.1', port)] })
    const agent = new undici.Agent({ connect: { timeout: 1000 } })
    for (const [title, mistake] of Object.entries(MISTAKES)) {
      plain[title] = await outcome(agent, mistake)
      t.not(plain[title], 'answered')
    }
    const passing = (dispatch: any) => (options: unknown, handler: unknown) => dispatch(options, handler)
    for (const interceptors of [[], [passing]]) {
      const composed = composeLane(new undici.Agent(), { resolver, warn: () => {} }, ...interceptors)
      for (const [title, mistake] of Object.entries(MISTAKES)) {
        t.same(await outcome(composed, mistake), plain[title], `${interceptors.length} interceptors: ${title}`)
      }
      await composed.close()
    }
    t.equal(resolver.inFlight, 0)
    await agent.close()
  })

  t.test(`${copy}, patched: and not reported as a fault of Laneway`, async t => {
    const { port } = await seenServer(t, 'base')
    const resolver = fakeResolver({ 'sc-b': [endpoint('127.0.0.1', port)] })
    const faults: unknown[] = []
    patch(
      undici,
      createUndiciPatch({ resolver, warn: () => {} }, error => faults.push(error)),
    )
    const agent = new undici.Agent()
    for (const [title, mistake] of Object.entries(MISTAKES)) {
      t.same(await outcome(agent, mistake), plain[title], title)
      t.same(faults, [], title)
    }
    await agent.close()
  })
}
