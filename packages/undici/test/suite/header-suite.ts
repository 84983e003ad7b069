import { runInLane } from '@laneway/core'
import { endpoint, fakeResolver, seenServer } from '@laneway/testkit/egress'
import type { Test } from 'tap'
import { composeLane } from '../../src/index.js'
import { type Copy, loopback } from './undici-copy.js'

/** A value of the lane header, set by hand in each shape that undici takes. */
const shapes: Record<string, (name: string, value: string) => unknown> = {
  'a plain object': (name, value) => ({ 'x-a': '1', [name]: value }),
  'an object with a list of one': (name, value) => ({ 'x-a': '1', [name]: [value] }),
  'a flat list': (name, value) => ['x-a', '1', name, value],
  'a list of pairs': (name, value) => [
    ['x-a', '1'],
    [name, value],
  ],
  Headers: (name, value) => new Headers({ 'x-a': '1', [name]: value }),
  'a Map': (name, value) =>
    new Map([
      ['x-a', '1'],
      [name, value],
    ]),
  'a generator': function* (name, value) {
    yield ['x-a', '1']
    yield [name, value]
  },
}

/** What a caller may have set, and the lane it makes of a call in `blue`. */
const duplicates: readonly { readonly title: string; readonly headers: unknown; readonly lane: string }[] = [
  { title: 'two equal lines', headers: ['x-mse-tag', 'gray', 'X-MSE-TAG', 'gray'], lane: 'gray' },
  { title: 'two lines that differ', headers: ['x-mse-tag', 'gray', 'x-mse-tag', 'green'], lane: 'blue' },
  { title: 'two keys that differ by case', headers: { 'x-mse-tag': 'gray', 'X-Mse-Tag': 'green' }, lane: 'blue' },
  { title: 'a list of two that differ', headers: { 'x-mse-tag': ['gray', 'green'] }, lane: 'blue' },
  { title: 'an invalid one', headers: { 'x-mse-tag': 'no/tag' }, lane: 'blue' },
  { title: 'an empty one', headers: { 'x-mse-tag': '' }, lane: 'blue' },
  { title: 'five tags', headers: { 'x-mse-tag': 'a,b,c,d,e' }, lane: 'blue' },
  { title: '__proto__', headers: { 'x-mse-tag': '__proto__' }, lane: 'blue' },
  { title: 'undefined', headers: { 'x-mse-tag': undefined }, lane: 'blue' },
  { title: 'a stacked lane', headers: { 'x-mse-tag': 'gray-2,gray' }, lane: 'gray-2,gray' },
]

export function headerSuite(t: Test, copy: Copy): void {
  const { undici } = copy

  async function setUp(t: Test, ...interceptors: any[]) {
    const base = await seenServer(t, 'base')
    const gray = await seenServer(t, 'gray')
    const resolver = fakeResolver({
      'sc-b': [endpoint('127.0.0.1', base.port), endpoint('127.0.0.1', gray.port, 'gray')],
    })
    const agent = new undici.Agent({ connect: { lookup: loopback as never } })
    const dispatcher = composeLane(agent, { resolver, warn: () => {} }, ...interceptors)
    t.teardown(() => dispatcher.close())
    const send = async (headers: unknown, url = 'http://sc-b/') => {
      base.seen.length = 0
      gray.seen.length = 0
      await (await undici.request(url, { dispatcher, headers: headers as never })).body.dump()
      return [...base.seen, ...gray.seen]
    }
    return { base, gray, send, dispatcher }
  }

  for (const [chain, interceptors] of [
    ['alone', []],
    ['with an interceptor', [(dispatch: any) => (options: any, handler: any) => dispatch(options, handler)]],
  ] as const) {
    t.test(`a tag set by hand in any shape is the lane of the call, for the pick too (${chain})`, async t => {
      const { send } = await setUp(t, ...interceptors)
      for (const [shape, make] of Object.entries(shapes)) {
        for (const name of ['x-mse-tag', 'X-MSE-Tag']) {
          const seen = await runInLane('blue', () => send(make(name, 'gray')))
          t.match(
            seen,
            [{ instance: 'gray', tags: ['gray'], host: 'sc-b', headers: { 'x-a': '1' } }],
            `${shape}, ${name}`,
          )
        }
      }
    })

    t.test(`never two values or two lines of the lane header (${chain})`, async t => {
      const { send } = await setUp(t, ...interceptors)
      for (const { title, headers, lane } of duplicates) {
        const seen = await runInLane('blue', () => send(headers))
        t.same(
          seen.map(one => one.tags),
          [[lane]],
          title,
        )
      }
      for (const [shape, make] of Object.entries(shapes)) {
        const seen = await runInLane('blue', () => send(make('x-b', '2')))
        t.match(seen, [{ tags: ['blue'], headers: { 'x-a': '1', 'x-b': '2' } }], shape)
        const untagged = await send(make('x-b', '2'))
        t.match(untagged, [{ instance: 'base', headers: { 'x-a': '1', 'x-b': '2' } }], shape)
        t.same(untagged[0]?.tags, [], shape)
      }
      t.same((await runInLane('blue', () => send(undefined)))[0]?.tags, ['blue'], 'no headers')
    })
  }

  t.test('fetch with a tag set by hand', async t => {
    const { dispatcher, gray, base } = await setUp(t)
    await runInLane('blue', async () => {
      await (await undici.fetch('http://sc-b/', { dispatcher, headers: { 'X-Mse-Tag': 'gray' } })).text()
      await (
        await undici.fetch('http://sc-b/', {
          dispatcher,
          headers: [
            ['x-mse-tag', 'gray'],
            ['x-mse-tag', 'green'],
          ],
        })
      ).text()
    })
    t.same(
      gray.seen.map(one => one.tags),
      // Headers joins lines: what the caller wrote is a list, and its first tag has endpoints.
      [['gray'], ['gray,green']],
    )
    t.equal(base.seen.length, 0)
  })
}
