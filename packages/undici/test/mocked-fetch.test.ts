import { runInLane } from '@laneway/core'
import { endpoint, fakeResolver } from '@laneway/testkit/egress'
import t, { type Test } from 'tap'
import { createLaneFetch } from '../src/index.js'
import { createFetchWatch } from '../src/internal.js'

const INTERCEPTOR = Symbol.for('fetch-interceptor')
const globals = globalThis as unknown as Record<symbol, unknown> & { fetch: unknown }

/** Puts a `fetch` in place that answers with the tag which it sees. */
function replace(t: Test, fetch: (...args: any[]) => unknown, marked = true): void {
  const original = Object.getOwnPropertyDescriptor(globalThis, 'fetch')!
  globals.fetch = fetch
  if (marked) globals[INTERCEPTOR] = {}
  t.teardown(() => {
    Object.defineProperty(globalThis, 'fetch', original)
    delete globals[INTERCEPTOR]
  })
}

const mock = async (input: any, init?: any) => new Request(input, init).headers.get('x-mse-tag')
const resolver = fakeResolver({ 'sc-b': [endpoint('127.0.0.1', 9)] })

const CALLS: [name: string, input: () => unknown, init: object | undefined, expected: string | null][] = [
  ['a service', () => 'http://sc-b/', undefined, 'gray'],
  ['a URL', () => new URL('http://sc-b/x'), { method: 'POST' }, 'gray'],
  ['a Request', () => new Request('http://sc-b/', { headers: { a: 'b' } }), undefined, 'gray'],
  ['a host in scope', () => 'http://peer.internal/', { headers: [['a', 'b']] }, 'gray'],
  ['a tag set by hand', () => 'http://sc-b/', { headers: { 'X-Mse-Tag': 'blue' } }, 'blue'],
  ['a third party', () => 'http://third.example/', undefined, null],
]

t.test('a mock in place of fetch sees the tag of createLaneFetch', async t => {
  replace(t, mock)
  const laneFetch = createLaneFetch({ resolver, warn() {} }) as unknown as (...args: unknown[]) => Promise<unknown>
  for (const [name, input, init, expected] of CALLS) {
    t.equal(await runInLane('gray', laneFetch, input(), init), expected, name)
  }
  t.equal(await laneFetch('http://sc-b/'), null)
})

t.test('a mock in place of fetch sees the tag of an unchanged program', async t => {
  const look = createFetchWatch({ resolver, warn() {} })
  look()
  const before = globals.fetch
  replace(t, mock)
  t.not(globals.fetch, before)
  look()
  const wrapped = globals.fetch as (...args: unknown[]) => Promise<unknown>
  look()
  t.equal(globals.fetch, wrapped, 'is wrapped once')
  t.equal(wrapped.name, mock.name)
  for (const [name, input, init, expected] of CALLS) {
    t.equal(await runInLane('gray', wrapped, input(), init), expected, name)
  }
  t.equal(await wrapped('http://sc-b/'), null)
  await t.rejects(runInLane('gray', wrapped, 'no url'), TypeError, 'what cannot be read is the business of the mock')
})

t.test('a fetch that a test or a framework has made is left alone', async t => {
  const look = createFetchWatch({ resolver, warn() {} })
  const spy = Object.assign((...args: unknown[]) => mock(...(args as [unknown])), { mock: { calls: [] } })
  for (const [fetch, marked] of [
    [spy, true],
    [mock, false],
  ] as const) {
    await t.test(marked ? 'a spy' : 'a framework', async t => {
      replace(t, fetch, marked)
      look()
      t.equal(globals.fetch, fetch)
    })
  }
})
