import { createServer, get, type RequestOptions, request } from 'node:http'
import { LaneAgent } from '@laneway/http'
import { listen } from '@laneway/testkit'
import { composeLane } from '@laneway/undici'
import t from 'tap'
import { Agent, MockAgent, fetch as undiciFetch } from 'undici'
import { assertNoLeaks, fakeLanes, runInLane } from '../src/index.js'

const HAND_SET = { 'x-mse-tag': 'gray' }

t.test('requests to third parties', async t => {
  const port = await listen(
    t,
    createServer((_request, response) => response.end('charged')),
  )
  const lookup = (_name: string, options: { all?: boolean | undefined }, done: (...args: any[]) => void) =>
    options.all === true ? done(null, [{ address: '127.0.0.1', family: 4 }]) : done(null, '127.0.0.1', 4)
  const url = `http://api.example.com:${port}/charges?a=1`
  const plain = new Agent({ connect: { lookup } })
  t.teardown(() => plain.close())
  const node = (options: RequestOptions) =>
    new Promise<void>((resolve, reject) => {
      request(url, { lookup, ...options } as RequestOptions, answer => answer.resume().on('end', resolve))
        .on('error', reject)
        .end()
    })
  const inProxy = (options: RequestOptions) =>
    new Promise<void>((resolve, reject) => {
      get({ host: '127.0.0.1', port, path: 'http://api.example.com/x', ...options }, answer =>
        answer.resume().on('end', resolve),
      ).on('error', reject)
    })

  await t.test('with a tag are leaks, whoever sends them', async t => {
    const ways: Record<string, () => Promise<unknown>> = {
      'node:http': () => node({ headers: HAND_SET }),
      undici: () => undiciFetch(url, { dispatcher: plain, headers: HAND_SET }),
      'an address, with the name in Host': () =>
        node({ host: '127.0.0.1', headers: { ...HAND_SET, host: 'api.example.com' } }),
      'through a proxy': () => inProxy({ headers: { ...HAND_SET, host: 'api.example.com' } }),
      keepHandSet: () =>
        node({ headers: HAND_SET, agent: new LaneAgent({ keepHandSet: true, warn() {} }, { keepAlive: false }) }),
      'a propagateTo that is too wide': () => {
        const dispatcher = composeLane(plain, { propagateTo: ['*.example.com'] })
        return runInLane('gray', () => undiciFetch(url, { dispatcher }))
      },
    }
    for (const [way, send] of Object.entries(ways)) {
      await using lanes = await fakeLanes({ 'sc-b': { base: '' } })
      await send()
      t.match(lanes.leaks, [{ host: 'api.example.com', lane: 'gray' }], way)
      t.throws(
        () => assertNoLeaks(lanes),
        { code: 'ERR_ASSERTION', message: /api\.example\.com got "gray" with GET \// },
        way,
      )
      assertNoLeaks(lanes, { propagateTo: ['api.example.com'] })
      lanes.reset()
      assertNoLeaks(lanes)
    }
  })

  await t.test(
    'from which Laneway keeps the tag are none; nor are services, internal hosts and other headers',
    async t => {
      await using lanes = await fakeLanes({ 'sc-b': { base: '' }, 'shop.example.com': { base: '' } })
      const agent = new LaneAgent({ resolver: lanes.resolver, warn() {} }, { keepAlive: false })
      await runInLane('gray', async () => {
        await node({ agent })
        await node({ agent, headers: HAND_SET })
        await lanes.fetch('http://sc-b/')
        await lanes.fetch('http://shop.example.com/')
        await fetch(`http://127.0.0.1:${port}/`, { headers: HAND_SET })
      })
      await node({ headers: { 'x-other': 'gray' } })
      t.equal(lanes.requests.length, 2)
      t.strictSame(lanes.leaks, [])
      assertNoLeaks(lanes)
    },
  )

  await t.test('are not seen after close', async t => {
    const lanes = await fakeLanes({})
    await lanes.close()
    await node({ headers: HAND_SET })
    t.strictSame(lanes.leaks, [])
  })
})

t.test('requests that a mock takes are leaks when they are handed over', async t => {
  await using lanes = await fakeLanes({ 'sc-b': { base: '' } })
  const mocks = new MockAgent({ enableCallHistory: true })
  mocks.disableNetConnect()
  const replied: any[] = []
  mocks
    .get('https://api.example.com')
    .intercept({ path: '/charges', method: 'POST' })
    .reply(200, options => void replied.push(options))
  await undiciFetch('https://api.example.com/charges', { method: 'POST', headers: HAND_SET, dispatcher: mocks })
  assertNoLeaks(lanes)
  const leak = { code: 'ERR_ASSERTION', message: /api\.example\.com got "gray" with POST \/charges/ }
  t.throws(() => assertNoLeaks(lanes, { mocked: mocks.getCallHistory()!.calls() }), leak)
  t.throws(() => assertNoLeaks(lanes, { mocked: replied }), leak)
  t.throws(
    () =>
      assertNoLeaks(lanes, {
        mocked: [new Request('https://api.example.com/charges', { method: 'POST', headers: HAND_SET })],
      }),
    leak,
  )
  assertNoLeaks(lanes, {
    mocked: [new Request('http://sc-b/', { headers: HAND_SET }), new Request('https://api.example.com/')],
  })
  await mocks.close()
})
