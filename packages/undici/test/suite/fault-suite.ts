import { once } from 'node:events'
import type { Test } from 'tap'
import { composeLane } from '../../src/index.js'
import { faulty, faultyAtEnd } from './faulty-resolver.js'
import { laneServer } from './lane-server.js'
import { refusedPort } from './refused-port.js'
import type { Copy } from './undici-copy.js'

/** Sends each request in a later turn, where no caller could catch what is thrown. */
const later = (dispatch: any) => (options: unknown, handler: unknown) => {
  setImmediate(() => dispatch(options, handler))
  return true
}

export function faultSuite(t: Test, copy: Copy): void {
  const { undici } = copy
  const chains: Record<string, () => any[]> = {
    alone: () => [],
    'below retry()': () => [undici.interceptors.retry({ maxRetries: 1, minTimeout: 1 })],
    'below an interceptor that dispatches later': () => [later],
  }
  for (const [chain, interceptors] of Object.entries(chains)) {
    t.test(`a resolver that throws fails the request, not the process (${chain})`, async t => {
      const server = await laneServer(t, 'base')
      const refused = await refusedPort()
      for (const [fault, make] of Object.entries(faulty)) {
        const fresh = () => {
          const resolver = make(server.port, refused)
          const dispatcher = composeLane(new undici.Agent(), { resolver }, ...interceptors())
          t.teardown(() => dispatcher.close())
          return dispatcher
        }
        const broken = { message: 'broken' }
        await t.rejects(undici.request('http://sc-b/', { dispatcher: fresh() }), broken, `request: ${fault}`)
        await t.rejects(undici.fetch('http://sc-b/', { dispatcher: fresh() }), { cause: broken }, `fetch: ${fault}`)
      }
      t.equal(server.seen.length, 0)
    })
  }

  t.test('a resolver that throws after the end is told of, and changes nothing', async t => {
    const server = await laneServer(t, 'base')
    const dispatcher = composeLane(new undici.Agent(), { resolver: faultyAtEnd(server.port) })
    t.teardown(() => dispatcher.close())
    const warned = once(process, 'warning')
    t.match(await (await undici.request('http://sc-b/', { dispatcher })).body.json(), { instance: 'base' })
    t.match(await warned, [{ name: 'LanewayWarning', message: /broken/ }])
  })
}
