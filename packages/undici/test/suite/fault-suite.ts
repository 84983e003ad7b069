import { closedPort, faulty, seenServer } from '@laneway/testkit/egress'
import type { Test } from 'tap'
import { composeLane } from '../../src/index.js'
import type { Copy } from './undici-copy.js'

/** Sends each request in a later turn, where no caller could catch what is thrown. */
const later = (dispatch: any) => (options: unknown, handler: unknown) => {
  setImmediate(() => dispatch(options, handler))
  return true
}

export function faultSuite(t: Test, copy: Copy): void {
  const { undici } = copy
  const chains: Record<string, () => any[]> = {
    'below retry()': () => [undici.interceptors.retry({ maxRetries: 1, minTimeout: 1 })],
    'below an interceptor that dispatches later': () => [later],
  }
  for (const [chain, interceptors] of Object.entries(chains)) {
    t.test(`a resolver that throws fails the request, not the process (${chain})`, async t => {
      const server = await seenServer(t, 'base')
      const refused = await closedPort()
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
}
