import { writeFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { createStaticSource } from '@laneway/discovery'
import t from 'tap'
import { EndpointsServer } from '../../laneway/src/endpoints/endpoints-server.js'
import { startGateway } from '../src/start-gateway.js'
import { send, startServices } from './world.js'

t.test('endpoints from an endpoints server; the last good list while it is away', async t => {
  const { 'sc-a': endpoints } = await startServices(t, { 'sc-a': [{}, { tag: 'gray' }] })
  // Of Kubernetes: the routes say the namespace.
  const source = createStaticSource({ 'sc-a.shop': endpoints!, 'sc-a.spare': [endpoints![0]!] })
  const served = new EndpointsServer({ source, hasNamespaces: true, maxClients: 10 })
  await new Promise<void>(resolve => served.server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => served.close())
  const url = `http://127.0.0.1:${(served.server.address() as AddressInfo).port}`
  const place = t.testdir({
    'routes.yaml': `kind: HTTPRoute
metadata: { name: spare, namespace: spare }
spec: { rules: [{ matches: [{ path: { value: /spare } }], backendRefs: [{ name: sc-a }] }] }
`,
  })
  const file = join(place, 'gateway.yaml')
  writeFileSync(
    file,
    `version: 1
listeners: [{ host: 127.0.0.1, port: 0 }]
discovery: { http: { url: ${url} }, namespace: shop }
rules: [{ name: tester, when: { header: { name: user, exact: tester } }, lane: gray }]
routes: [{ service: sc-a }]
routesFrom: [routes.yaml]
accessLog: false
drain: { delayMs: 0, timeoutMs: 0 }
`,
  )
  const started = await startGateway(file, { warn: () => {} })
  t.teardown(() => started.close())
  const { port } = started.gateway.address()
  const at = async (user: string, path = '/') => (await send(port, { path, headers: { user } })).json?.at
  t.equal(await at('tester'), 'sc-a-gray')
  t.equal(await at('other'), 'sc-a')
  t.equal(await at('tester', '/spare'), 'sc-a', 'the namespace of the route has no gray')
  await served.close()
  t.equal(await at('tester'), 'sc-a-gray')
  t.equal(await at('other'), 'sc-a')
})
