import { runInLane } from '@laneway/core'
import { endpoint, fakeResolver, seenServer } from '@laneway/testkit/egress'
import type { Test } from 'tap'
import { composeLane } from '../../src/index.js'
import { type Copy, loopback } from './undici-copy.js'

export function scopeSuite(t: Test, copy: Copy): void {
  const { undici } = copy
  const agent = () => new undici.Agent({ connect: { lookup: loopback as never } })

  t.test('scope looks at the target and not at the proxy: absolute form, Host, CONNECT', async t => {
    const server = await seenServer(t, 'proxy')
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
    const proxy = await seenServer(t, 'proxy')
    const gray = await seenServer(t, 'gray')
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
