import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import t from 'tap'
import { program, relay, startApp } from './start-app.js'

t.test('a call without its tag is warned of once for all clients, with the setting of this package', async t => {
  const proxy = createServer((_req, res) => res.end('answer')).listen(0, '127.0.0.1')
  t.teardown(() => {
    proxy.close()
    proxy.closeAllConnections()
  })
  await new Promise(resolve => proxy.once('listening', resolve))
  const { port } = proxy.address() as AddressInfo
  const app = await startApp(t, program('relay.mjs'))
  // Names of the loopback that are no internal names.
  const target = `http://third.example:${port}/`
  for (const client of ['http', 'fetch', 'http']) await relay(app, client, 'gray', target).catch(() => undefined)
  t.equal(app.output.stderr.match(/third\.example/g)?.length, 1)
  t.match(app.output.stderr, /if it belongs to you, add it to LANEWAY_PROPAGATE_TO/)
  t.notMatch(app.output.stderr, /create\w+Patch/)
})

t.test('a wrong value is refused by the name of its setting', async t => {
  const refused = startApp(t, program('plain.mjs'), { environment: { LANEWAY_PROPAGATE_TO: '169.254.169.254' } })
  await t.rejects(refused, { message: /LANEWAY_INVALID_OPTION: LANEWAY_PROPAGATE_TO is a list of hosts/ })
  const header = startApp(t, program('plain.mjs'), { environment: { LANEWAY_HEADER: 'a b' } })
  await t.rejects(header, { message: /LANEWAY_INVALID_OPTION: LANEWAY_HEADER is the name of a header/ })
})
