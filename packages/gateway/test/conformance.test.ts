// The conformance tests of Gateway API over HTTP, from the same data as those of the functions.
import type { HttpRoute } from '@laneway/rules'
import { gatewayApiTables, headerModifierCases, weightCase } from '@laneway/testkit'
import t from 'tap'
import { type Echo, send, start, startServices } from './world.js'

for (const { name, route, backends, cases } of gatewayApiTables) {
  t.test(`${name}, HTTP/1.1`, async t => {
    const services = await startServices(t, Object.fromEntries(backends.map(backend => [backend, [{}]])))
    const { port } = await start(t, services, { routes: [route] })
    for (const { method, path, headers, backend } of cases) {
      const { status, json } = await send(port, { method, path, headers })
      const what = `${method} ${path} ${JSON.stringify(headers)}`
      t.equal(status === 404 ? '404' : (json as Echo).at, backend, what)
      if (status !== 200) continue
      t.equal(json.url, path, 'the target goes on as it was')
      // The route's own lane header, as these routes set one: the choice and what is told are one.
      t.equal(json.headers['x-mse-tag'], backend, what)
    }
  })
}

t.test('HTTPRouteRequestHeaderModifier, of a rule and of a backend', async t => {
  const services = await startServices(t, { v1: [{}] })
  for (const where of ['rule', 'backend'] as const) {
    for (const { name, modifier, headers, expected } of headerModifierCases) {
      const filters = [{ type: 'RequestHeaderModifier', requestHeaderModifier: modifier }]
      const route: HttpRoute = {
        kind: 'HTTPRoute',
        spec: {
          rules: [
            where === 'rule' ? { filters, backendRefs: [{ name: 'v1' }] } : { backendRefs: [{ name: 'v1', filters }] },
          ],
        },
      }
      const { gateway, port } = await start(t, services, { routes: [route] })
      const { json } = await send(port, { headers: { ...headers } })
      const { host, connection, ...rest } = json.headers as Record<string, string>
      for (const added of ['x-forwarded-for', 'x-forwarded-host', 'x-forwarded-proto']) delete rest[added]
      t.same(rest, expected, `${where}: ${name}`)
      await gateway.close()
    }
  }
})

t.test('HTTPRouteWeight', async t => {
  const { backends, weights, shares, requests, tolerance } = weightCase
  const services = await startServices(t, Object.fromEntries(backends.map(backend => [backend, [{}]])))
  // Drawn as evenly as they can be, so that the shares are not a matter of luck.
  let draw = 0
  const route: HttpRoute = {
    kind: 'HTTPRoute',
    spec: { rules: [{ backendRefs: backends.map((name, index) => ({ name, weight: weights[index]! })) }] },
  }
  const { port } = await start(t, services, { routes: [route], random: () => (draw++ % 100) / 100 })
  const counts = new Map<string, number>()
  for (let sent = 0; sent < requests; sent += 10) {
    await Promise.all(
      Array.from({ length: 10 }, async () => {
        const { at } = (await send(port)).json as Echo
        counts.set(at, (counts.get(at) ?? 0) + 1)
      }),
    )
  }
  for (const [index, backend] of backends.entries()) {
    const share = (counts.get(backend) ?? 0) / requests
    t.ok(Math.abs(share - shares[index]!) <= tolerance, `${backend}: ${share}`)
  }
  t.notOk(counts.has('v3'), 'weight 0 is never seen')
})

t.test('HTTPRouteRequestHeaderModifierBackendWeights: the header always names the backend that was hit', async t => {
  const names = ['v1', 'v2']
  const services = await startServices(t, { v1: [{}], v2: [{}] })
  let draw = 0
  const route: HttpRoute = {
    kind: 'HTTPRoute',
    spec: {
      rules: [
        {
          backendRefs: names.map(name => ({
            name,
            weight: 10,
            filters: [
              { type: 'RequestHeaderModifier', requestHeaderModifier: { set: [{ name: 'Backend', value: name }] } },
            ],
          })),
        },
      ],
    },
  }
  const { port } = await start(t, services, { routes: [route], random: () => (draw++ % 10) / 10 })
  const seen = new Set<string>()
  for (let sent = 0; sent < 100; sent++) {
    const { json } = await send(port, { headers: { backend: 'spoofed' } })
    t.equal(json.headers.backend, json.at)
    seen.add(json.at)
  }
  t.same([...seen].sort(), names)
})

t.test('a route whose backends have no weight answers 500, one without a match 404', async t => {
  const services = await startServices(t, { v1: [{}] })
  const route: HttpRoute = {
    kind: 'HTTPRoute',
    spec: { hostnames: ['a.example'], rules: [{ backendRefs: [{ name: 'v1', weight: 0 }] }] },
  }
  const { port } = await start(t, services, { routes: [route] })
  t.match(await send(port, { headers: { host: 'a.example' } }), { status: 500, json: { code: 'no_backend' } })
  t.match(await send(port, { headers: { host: 'b.example' } }), { status: 404, json: { code: 'no_route' } })
})
