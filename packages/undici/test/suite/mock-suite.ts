import { runInLane } from '@laneway/core'
import { endpoint, fakeResolver, type SeenServer, seenServer } from '@laneway/testkit/egress'
import type { Test } from 'tap'
import { composeLane } from '../../src/index.js'
import type { Copy } from './undici-copy.js'

/** Puts the lane into a MockAgent, or knows that it is there. */
export type MakeMock = (resolver: ReturnType<typeof fakeResolver>) => { mock: any; dispatcher: any }

export interface MockServers {
  readonly base: SeenServer
  readonly gray: SeenServer
  readonly resolver: ReturnType<typeof fakeResolver>
}

export async function mockServers(t: Test): Promise<MockServers> {
  const [base, gray] = [await seenServer(t, 'base'), await seenServer(t, 'gray')]
  const endpoints = [endpoint('127.0.0.1', base.port), endpoint('127.0.0.1', gray.port, 'gray')]
  return { base, gray, resolver: fakeResolver({ 'sc-b': endpoints, 'api.shop.example': endpoints }) }
}

/** What a mock was asked. */
interface Asked {
  readonly origin: unknown
  readonly path: unknown
  readonly headers: Record<string, string>
}

/** A mocked service call stays in its mock, which sees the tag; an unmatched one does what the mock says. */
export function mockSuite(t: Test, { undici }: Copy, { base, gray, resolver }: MockServers, make: MakeMock): void {
  const fresh = (t: Test) => {
    base.seen.length = 0
    gray.seen.length = 0
    const { mock, dispatcher } = make(resolver)
    t.teardown(() => dispatcher.close())
    return { mock, dispatcher }
  }
  const nobody = (t: Test) => t.equal(base.seen.length + gray.seen.length, 0, 'no instance was asked')

  for (const origin of ['http://sc-b', 'http://api.shop.example']) {
    t.test(`${origin}: the mock sees the tag of the caller, and the origin that the caller wrote`, async t => {
      const { mock, dispatcher } = fresh(t)
      mock.disableNetConnect()
      const asked: Asked[] = []
      mock
        .get(origin)
        .intercept({ path: '/mocked', method: () => true })
        .reply((options: Asked) => {
          asked.push(options)
          return { statusCode: 200, data: 'mocked' }
        })
        .times(8)
      for (const lane of ['gray', undefined]) {
        await runInLane(lane, async () => {
          const own = { 'x-own': 'kept' }
          const answer = await undici.request(`${origin}/mocked`, { dispatcher, headers: own })
          t.equal(await answer.body.text(), 'mocked')
          const fetched = await undici.fetch(`${origin}/mocked`, {
            dispatcher,
            method: 'POST',
            body: 'x',
            headers: own,
          })
          t.equal(await fetched.text(), 'mocked')
        })
      }
      t.equal(asked.length, 4)
      for (const [index, one] of asked.entries()) {
        t.equal(String(one.origin), origin)
        t.equal(one.path, '/mocked')
        const lane = index < 2 ? 'gray' : undefined
        const headers = Array.isArray(one.headers) ? pairs(one.headers) : one.headers
        t.match(headers, { 'x-own': 'kept', 'x-mse-tag': lane })
        if (index % 2 === 0) t.notOk(Array.isArray(one.headers), 'in the shape that the caller gave')
      }
      nobody(t)
    })
  }

  t.test('answers can be chosen by the tag', async t => {
    const { mock, dispatcher } = fresh(t)
    mock.disableNetConnect()
    const pool = mock.get('http://sc-b')
    pool
      .intercept({ path: '/', headers: { 'x-mse-tag': 'gray' } })
      .reply(200, 'for gray')
      .persist()
    for (const client of ['request', 'fetch'] as const) {
      const ask = async () =>
        client === 'request'
          ? (await undici.request('http://sc-b/', { dispatcher })).body.text()
          : (await undici.fetch('http://sc-b/', { dispatcher })).text()
      t.equal(await runInLane('gray', ask), 'for gray')
      await t.rejects(runInLane('blue', ask))
      await t.rejects(ask())
    }
    nobody(t)
  })

  t.test('without network an unmatched service call fails as the mock says', async t => {
    const { mock, dispatcher } = fresh(t)
    mock.disableNetConnect()
    mock.get('http://sc-b').intercept({ path: '/one' }).reply(200, '')
    const plain = new undici.MockAgent()
    t.teardown(() => plain.close())
    plain.disableNetConnect()
    plain.get('http://sc-b').intercept({ path: '/one' }).reply(200, '')
    const failure = (through: any, url: string) =>
      undici.request(url, { dispatcher: through }).then(
        () => 'answered',
        ({ name, code, message }: any) => ({ name, code, message }),
      )
    for (const url of ['http://sc-b/other', 'http://api.shop.example/x']) {
      t.same(await runInLane('gray', () => failure(dispatcher, url)), await failure(plain, url))
    }
    nobody(t)
    t.equal(resolver.inFlight, 0)
  })

  t.test('with the network an unmatched service call goes to an endpoint of its lane', async t => {
    const { mock, dispatcher } = fresh(t)
    mock.enableNetConnect('sc-b')
    mock.get('http://sc-b').intercept({ path: '/one' }).reply(200, 'mocked')
    const ask = async (path: string) => {
      const { body } = await undici.request(`http://sc-b${path}`, { dispatcher })
      return body.text()
    }
    t.match(JSON.parse(await runInLane('gray', () => ask('/two'))), { instance: 'gray', tags: ['gray'], host: 'sc-b' })
    t.match(JSON.parse(await ask('/two')), { instance: 'base', tags: [] })
    t.equal(await runInLane('gray', () => ask('/one')), 'mocked')
    t.doesNotThrow(() => mock.assertNoPendingInterceptors())
    await t.rejects(undici.request('http://api.shop.example/x', { dispatcher }))
    t.equal(resolver.inFlight, 0)
  })

  t.test('a mock that is switched off lets everything through', async t => {
    const { mock, dispatcher } = fresh(t)
    mock.get('http://sc-b').intercept({ path: '/' }).reply(200, 'mocked')
    mock.deactivate()
    const { body } = await runInLane('gray', () => undici.request('http://sc-b/', { dispatcher }))
    t.match(await body.json(), { instance: 'gray', tags: ['gray'] })
    mock.activate()
    const mocked = await runInLane('gray', () => undici.request('http://sc-b/', { dispatcher }))
    t.equal(await mocked.body.text(), 'mocked')
  })

  t.test('mocked third parties see no tag, mocked hosts in scope do', async t => {
    const { mock, dispatcher } = fresh(t)
    mock.disableNetConnect()
    for (const [origin, tag] of [
      ['http://third.example', undefined],
      ['http://orders', 'gray'],
    ] as const) {
      let seen: Asked | undefined
      mock
        .get(origin)
        .intercept({ path: '/' })
        .reply((options: Asked) => {
          seen = options
          return { statusCode: 200 }
        })
      await runInLane('gray', async () => {
        await (await undici.request(`${origin}/`, { dispatcher, headers: { 'X-Mse-Tag': 'gray' } })).body.dump()
      })
      const { headers = {} } = seen ?? {}
      t.equal(Object.entries(headers).find(([name]) => name.toLowerCase() === 'x-mse-tag')?.[1], tag, origin)
    }
  })

  t.test('mocks of origins by pattern', async t => {
    const { mock, dispatcher } = fresh(t)
    mock.disableNetConnect()
    mock.get(/sc-/).intercept({ path: '/' }).reply(200, 'by pattern')
    const { body } = await runInLane('gray', () => undici.request('http://sc-b/', { dispatcher }))
    t.equal(await body.text(), 'by pattern')
    nobody(t)
  })
}

function pairs(flat: readonly string[]): Record<string, string> {
  const found: Record<string, string> = {}
  for (let index = 0; index + 1 < flat.length; index += 2) found[flat[index] as string] = flat[index + 1] as string
  return found
}

/** The forms of `composeLane` with a MockAgent. */
export function composedMocks({ undici }: Copy): Record<string, MakeMock> {
  const options = (resolver: unknown) => ({ resolver: resolver as never, warn: () => {} })
  const passing = (dispatch: any) => (one: unknown, handler: unknown) => dispatch(one, handler)
  return {
    'composeLane of a MockAgent': resolver => {
      const mock = new undici.MockAgent()
      return { mock, dispatcher: composeLane(mock, options(resolver)) }
    },
    'composeLane of a MockAgent, with an interceptor': resolver => {
      const mock = new undici.MockAgent()
      return { mock, dispatcher: composeLane(mock, options(resolver), passing) }
    },
    'a MockAgent around composeLane': resolver => {
      const mock = new undici.MockAgent({ agent: composeLane(new undici.Agent(), options(resolver)) })
      return { mock, dispatcher: mock }
    },
  }
}
