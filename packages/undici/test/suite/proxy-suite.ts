import { runInLane } from '@laneway/core'
import { endpoint, fakeResolver, seenServer } from '@laneway/testkit/egress'
import type { Test } from 'tap'
import { composeLane } from '../../src/index.js'
import { proxyTo } from './proxy-to.js'
import type { Copy } from './undici-copy.js'

export function proxySuite(t: Test, copy: Copy): void {
  const { undici } = copy

  for (const kind of ['ProxyAgent', 'EnvHttpProxyAgent'] as const) {
    t.test(`${kind}: a resolved request bypasses the proxy, a third party goes through it without the tag`, async t => {
      const outside = await seenServer(t, 'outside')
      const gray = await seenServer(t, 'gray')
      const proxy = await proxyTo(t, outside.port)
      const resolver = fakeResolver({ 'sc-b': [endpoint('127.0.0.1', gray.port, 'gray')] })
      const inner: any =
        kind === 'ProxyAgent'
          ? new undici.ProxyAgent(proxy.uri)
          : new undici.EnvHttpProxyAgent({ httpProxy: proxy.uri })
      const dispatcher = composeLane(inner, { resolver, warn: () => {} })
      t.teardown(() => dispatcher.destroy())
      await runInLane('gray', async () => {
        for (const client of ['request', 'fetch'] as const) {
          const get = async (url: string) =>
            client === 'request'
              ? (await undici.request(url, { dispatcher })).body.json()
              : (await undici.fetch(url, { dispatcher: dispatcher as never })).json()
          t.match(await get('http://sc-b/x'), { instance: 'gray', host: 'sc-b', tags: ['gray'] })
          t.match(await get('http://third.example/x'), { instance: 'outside', host: 'third.example', tags: [] })
          t.match(await get('http://orders.shop.svc/x'), {
            instance: 'outside',
            host: 'orders.shop.svc',
            tags: ['gray'],
          })
        }
      })
      t.notOk(
        proxy.asked.some(request => request.includes('sc-b') || request.includes(String(gray.port))),
        'the proxy was not asked for the service',
      )
      t.ok(
        proxy.asked.some(request => request.includes('third.example')),
        'it was for the third party',
      )
      t.ok(
        proxy.tags.every(tag => tag === undefined),
        'the proxy sees no tag that is not for a host inside',
      )
    })
  }

  t.test('EnvHttpProxyAgent: what NO_PROXY names is called directly, in its lane or without the tag', async t => {
    const outside = await seenServer(t, 'outside')
    const gray = await seenServer(t, 'gray')
    const proxy = await proxyTo(t, outside.port)
    const resolver = fakeResolver({ 'sc-b': [endpoint('127.0.0.1', gray.port, 'gray')] })
    const inner = new undici.EnvHttpProxyAgent({
      httpProxy: proxy.uri,
      noProxy: 'direct.example,sc-b',
      connect: {
        lookup: (_host: string, options: { all?: boolean }, found: (...args: unknown[]) => void) =>
          options.all === true ? found(null, [{ address: '127.0.0.1', family: 4 }]) : found(null, '127.0.0.1', 4),
      },
    } as never)
    const dispatcher = composeLane(inner, { resolver, warn: () => {} })
    t.teardown(() => dispatcher.destroy())
    await runInLane('gray', async () => {
      const ask = async (url: string, headers = {}) =>
        (await undici.request(url, { dispatcher, headers })).body.json() as Promise<object>
      t.match(await ask('http://sc-b/x'), { instance: 'gray', host: 'sc-b', tags: ['gray'] })
      const direct = `http://direct.example:${outside.port}/x`
      t.match(await ask(direct), { instance: 'outside', tags: [] })
      t.match(await ask(direct, { 'x-mse-tag': 'gray' }), { instance: 'outside', tags: [] }, 'set by hand')
      t.same(proxy.asked, [], 'the proxy was not asked')
      t.match(await ask('http://third.example/x'), { instance: 'outside', tags: [] })
      t.ok(proxy.asked.some(request => request.includes('third.example')))
    })
  })

  t.test('RetryAgent over an Agent: resolved, with one endpoint for all its attempts', async t => {
    let count = 0
    const gray = await seenServer(t, 'gray', (_seen, response) => {
      response.writeHead(++count === 1 ? 503 : 200).end()
    })
    const resolver = fakeResolver({ 'sc-b': [endpoint('127.0.0.1', gray.port, 'gray')] })
    const retrying = new undici.RetryAgent(new undici.Agent(), { minTimeout: 1, maxTimeout: 2 })
    const dispatcher = composeLane(retrying, { resolver })
    await runInLane('gray', async () => {
      const { statusCode, body } = await undici.request('http://sc-b/', { dispatcher })
      t.equal(statusCode, 200)
      await body.dump()
    })
    t.same(
      gray.seen.map(one => one.tags),
      [['gray'], ['gray']],
    )
    t.equal(resolver.inFlight, 0)
    await dispatcher.close()
  })
}
