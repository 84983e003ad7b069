import { parseLane } from '@laneway/core'
import { createLaneResolver, type LaneResolver } from '@laneway/discovery'
import type { Test } from 'tap'
import { instances, one, three, two } from './instances.js'
import type { SourceAdapter, SuiteRegistry } from './source-adapter.js'
import { eventually } from './source-reports.js'

/** The most that a resolver takes of one service. */
const MAX_ENDPOINTS = 100_000

export async function resolving(t: Test, adapter: SourceAdapter): Promise<void> {
  const registry = await adapter.start(t)
  await registry.publish({ orders: [one, two], billing: [two] })
  const resolver = resolverOver(t, registry)
  await resolver.ready('orders')
  t.equal(resolver.match('orders', undefined, false), 'orders')
  await eventually(() => resolver.pick('orders', undefined).outcome === 'base')
  t.equal(resolver.pick('orders', undefined).endpoint?.host, '10.0.0.1')
  t.equal(resolver.pick('orders', parseLane('gray')).endpoint?.host, '10.0.0.2')
  t.equal(resolver.pick('orders', parseLane('green')).endpoint?.host, '10.0.0.1', 'no such lane: base')
  t.equal(resolver.match('billing', undefined, false), 'billing')
  await resolver.lookup('billing')
  await eventually(() => resolver.pick('billing', parseLane('gray')).endpoint?.host === '10.0.0.2')
  t.equal(resolver.pick('billing', undefined).endpoint, undefined, 'base has no instance, and gray is not base')
  await registry.publish({ orders: [two, three], billing: [one] })
  await eventually(() => resolver.pick('billing', undefined).endpoint?.host === '10.0.0.1')
  await eventually(() => resolver.pick('orders', undefined).endpoint === undefined)
}

export async function badEndpoints(t: Test, adapter: SourceAdapter): Promise<void> {
  const registry = await adapter.start(t)
  await registry.publish({ orders: [one, two] })
  const resolver = resolverOver(t, registry)
  await resolver.ready('orders')
  await eventually(() => hosts(resolver).join() === '10.0.0.1,10.0.0.2')
  await registry.publish({ orders: [one, two, { host: '169.254.1.1', port: 80 }] })
  await eventually(() => resolver.state('orders')?.dropped.length === 1)
  t.strictSame(hosts(resolver), ['10.0.0.1', '10.0.0.2'], 'nothing is called at a link-local address')
  const bad = { orders: [one, two, { host: '10.0.0.9', port: 80, labels: { 'alicloud.service.tag': 'not a tag' } }] }
  if (adapter.badEndpoint === 'throws') {
    await t.rejects(async () => registry.publish(bad), { code: 'LANEWAY_INVALID_ENDPOINT' })
  } else {
    await registry.publish(bad)
    const known = adapter.badEndpoint === 'stale' ? /./ : /not a tag/
    await eventually(() => {
      const { status, dropped = [], error = '' } = resolver.state('orders') ?? {}
      return adapter.badEndpoint === 'stale' ? status === 'stale' && known.test(error) : known.test(dropped.join())
    })
  }
  t.strictSame(hosts(resolver), ['10.0.0.1', '10.0.0.2'], 'an endpoint with a broken tag is not base')
}

export async function tooMany(t: Test, adapter: SourceAdapter): Promise<void> {
  const registry = await adapter.start(t)
  await registry.publish({ orders: [one, two] })
  const resolver = resolverOver(t, registry)
  await resolver.ready('orders')
  await eventually(() => hosts(resolver).join() === '10.0.0.1,10.0.0.2')
  await registry.publish({ orders: instances(MAX_ENDPOINTS + 1) })
  await eventually(() => resolver.state('orders')?.status === 'stale')
  t.match(resolver.state('orders')?.error, /100001 endpoints/)
  t.strictSame(hosts(resolver), ['10.0.0.1', '10.0.0.2'])
  await registry.publish({ orders: [one] })
  await eventually(() => hosts(resolver).join() === '10.0.0.1')
}

function resolverOver(t: Test, registry: SuiteRegistry): LaneResolver {
  const resolver = createLaneResolver({ sources: [registry.open()], env: {}, warn: () => {}, readyTimeoutMs: 60_000 })
  t.teardown(() => resolver.close())
  return resolver
}

/** The hosts that requests of any lane are sent to. */
function hosts(resolver: LaneResolver): string[] {
  const found = new Set<string | undefined>()
  for (let turn = 0; turn < 100; turn++) {
    found.add(resolver.pick('orders', undefined).endpoint?.host)
    found.add(resolver.pick('orders', parseLane('gray')).endpoint?.host)
  }
  return [...found].filter(host => host !== undefined).sort()
}
