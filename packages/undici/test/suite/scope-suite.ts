import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { runInLane } from '@laneway/core'
import type { Test } from 'tap'
import { composeLane } from '../../src/index.js'
import { endpoint, fakeResolver } from './fake-resolver.js'
import { laneServer } from './lane-server.js'
import { type Copy, loopback } from './undici-copy.js'

export function scopeSuite(t: Test, copy: Copy): void {
  const { undici } = copy
  const agent = () => new undici.Agent({ connect: { lookup: loopback as never } })
  const { redirect } = undici.interceptors

  t.test('the tag goes to internal hosts and to propagateTo, and to nobody else, whoever set it', async t => {
    const server = await laneServer(t, 'any')
    const warnings: string[] = []
    const events: unknown[] = []
    const listen = (event: unknown) => events.push(event)
    subscribe('laneway:egress', listen)
    t.teardown(() => unsubscribe('laneway:egress', listen))
    const dispatcher = composeLane(agent(), {
      propagateTo: ['partner.example', '*.friends.example'],
      warn: message => warnings.push(message),
    })
    t.teardown(() => dispatcher.close())
    const cases: readonly [host: string, gets: boolean][] = [
      ['orders', true],
      ['orders.shop.svc', true],
      ['orders.shop.svc.cluster.local', true],
      ['127.0.0.1', true],
      ['partner.example', true],
      ['PARTNER.example.', true],
      ['a.friends.example', true],
      ['friends.example', false],
      ['third.example', false],
      ['evil-partner.example', false],
    ]
    for (const [host, gets] of cases) {
      for (const headers of [{}, { 'x-mse-tag': 'gray' }, ['X-MSE-TAG', 'gray']]) {
        server.seen.length = 0
        await runInLane('gray', async () => {
          await (await undici.request(`http://${host}:${server.port}/`, { dispatcher, headers })).body.dump()
        })
        t.same(server.seen[0]?.tags, gets ? ['gray'] : [], `${host} ${JSON.stringify(headers)}`)
      }
    }
    t.equal(warnings.length, 3, 'one warning per host')
    t.match(warnings[0], /friends\.example.*propagateTo/)
    t.equal(events.filter(event => (event as { action: string }).action === 'blocked').length, 9)
  })

  for (const client of ['request with redirect()', 'fetch'] as const) {
    t.test(`${client}: a cross-host redirect is decided again, in both directions`, async t => {
      const end = await laneServer(t, 'end')
      const service = await laneServer(t, 'gray', (_seen, response) => {
        response.writeHead(302, { location: `http://third.example:${end.port}/` }).end()
      })
      const outside = await laneServer(t, 'outside', (_seen, response) => {
        response.writeHead(302, { location: 'http://sc-end/back' }).end()
      })
      const resolver = fakeResolver({
        'sc-b': [endpoint('127.0.0.1', service.port, 'gray')],
        'sc-end': [endpoint('127.0.0.1', 1), endpoint('127.0.0.1', end.port, 'gray')],
      })
      const interceptors = client === 'fetch' ? [] : [redirect({ maxRedirections: 3 })]
      const go = async (url: string, headers: Record<string, string>, keepHandSet: boolean) => {
        const dispatcher = composeLane(agent(), { resolver, keepHandSet, warn: () => {} }, ...interceptors)
        for (const server of [end, service, outside]) server.seen.length = 0
        if (client === 'fetch') await (await undici.fetch(url, { dispatcher, headers })).text()
        else await (await undici.request(url, { dispatcher, headers })).body.dump()
        await dispatcher.close()
      }
      for (const headers of [{}, { 'x-mse-tag': 'gray' }]) {
        await runInLane('gray', () => go('http://sc-b/', headers, false))
        t.same([service.seen[0]?.tags, end.seen[0]?.tags], [['gray'], []], 'from inside to outside')
        t.equal(end.seen[0]?.host, `third.example:${end.port}`)
        await runInLane('gray', () => go(`http://third.example:${outside.port}/`, headers, false))
        t.same([outside.seen[0]?.tags, end.seen[0]?.tags], [[], ['gray']], 'from outside to inside')
        t.match(end.seen[0], { host: 'sc-end', url: '/back' })
      }
      await runInLane('gray', () => go('http://sc-b/', { 'x-mse-tag': 'gray' }, true))
      t.same([service.seen[0]?.tags, end.seen[0]?.tags], [['gray'], []], 'keepHandSet is not for redirects')
    })
  }

  t.test(
    'keepHandSet leaves a tag that the caller set on a request to any host, not the one of the context',
    async t => {
      const server = await laneServer(t, 'any')
      const dispatcher = composeLane(agent(), { keepHandSet: true, warn: () => {} })
      t.teardown(() => dispatcher.close())
      const url = `http://third.example:${server.port}/`
      await runInLane('blue', async () => {
        await (await undici.request(url, { dispatcher, headers: { 'x-mse-tag': 'gray' } })).body.dump()
        await (await undici.request(url, { dispatcher })).body.dump()
      })
      const metadata = `http://metadata.google.internal:${server.port}/`
      await (await undici.request(metadata, { dispatcher, headers: { 'x-mse-tag': 'gray' } })).body.dump()
      await (await undici.request(url, { dispatcher, headers: { 'x-mse-tag': 'no tag' } })).body.dump()
      t.same(
        server.seen.map(one => one.tags),
        [['gray'], [], [], []],
        'metadata services never get a tag, and what is no tag goes nowhere',
      )
    },
  )

  t.test('baggage: our member first inside, removed outside, foreign bytes intact', async t => {
    const server = await laneServer(t, 'any')
    const foreign = 'a=1;p=q ,  b = %20x,c'
    const sent = async (
      host: string,
      baggage: boolean,
      headers: Record<string, string>,
      lane: string | null = 'gray',
    ) => {
      const dispatcher = composeLane(agent(), { baggage, warn: () => {} })
      server.seen.length = 0
      await runInLane(lane ?? undefined, async () => {
        await (await undici.request(`http://${host}:${server.port}/`, { dispatcher, headers })).body.dump()
      })
      await dispatcher.close()
      return server.seen[0]?.baggage
    }
    t.equal(await sent('sc-b', true, {}), 'x-mse-tag=gray')
    t.equal(await sent('sc-b', true, { Baggage: foreign }), `x-mse-tag=gray,${foreign}`)
    t.equal(await sent('sc-b', false, { baggage: foreign }), foreign)
    t.equal(await sent('sc-b', false, {}), undefined)
    const carried = `a=1,x-mse-tag=blue,${foreign}`
    t.equal(
      await sent('sc-b', false, { baggage: carried }),
      `x-mse-tag=gray,a=1,${foreign}`,
      'it says what the header says',
    )
    t.equal(await sent('sc-b', true, { baggage: carried }, null), `a=1,${foreign}`, 'no lane, no member')
    for (const baggage of [true, false]) {
      t.equal(await sent('third.example', baggage, { baggage: carried }), `a=1,${foreign}`)
      t.equal(await sent('third.example', baggage, { baggage: 'x-mse-tag=blue' }), undefined)
    }
  })

  t.test('scope looks at the target and not at the proxy: absolute form, Host, CONNECT', async t => {
    const server = await laneServer(t, 'proxy')
    const dispatcher = composeLane(agent(), { warn: () => {} })
    t.teardown(() => dispatcher.close())
    const origin = `http://127.0.0.1:${server.port}`
    const send = async (path: string, headers: Record<string, string> = {}) => {
      server.seen.length = 0
      await runInLane('gray', async () => {
        await (await dispatcher.request({ origin, path, method: 'GET', headers })).body.dump()
      })
      return server.seen[0]?.tags
    }
    t.same(await send('http://third.example/x'), [])
    t.same(await send('http://orders/x'), ['gray'])
    t.same(await send('/x', { host: 'third.example' }), [])
    t.same(await send('/x', { host: 'orders:8080' }), ['gray'])
  })

  t.test('an absolute-form request to a service goes to its endpoint and past the proxy', async t => {
    const proxy = await laneServer(t, 'proxy')
    const gray = await laneServer(t, 'gray')
    const resolver = fakeResolver({ 'sc-b': [endpoint('127.0.0.1', gray.port, 'gray')] })
    const dispatcher = composeLane(agent(), { resolver })
    t.teardown(() => dispatcher.close())
    await runInLane('gray', async () => {
      const origin = `http://127.0.0.1:${proxy.port}`
      for (const path of ['http://sc-b/x?y=1', 'http://sc-b?y=1', 'http://sc-b']) {
        await (await dispatcher.request({ origin, path, method: 'GET' })).body.dump()
      }
    })
    t.equal(proxy.seen.length, 0)
    t.same(
      gray.seen.map(one => [one.host, one.url]),
      [
        ['sc-b', '/x?y=1'],
        ['sc-b', '/?y=1'],
        ['sc-b', '/'],
      ],
    )
  })
}
