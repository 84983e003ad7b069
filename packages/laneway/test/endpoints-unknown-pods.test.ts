import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createHttpSource, createLaneResolver } from '@laneway/discovery'
import { createKubernetesSource } from '@laneway/kubernetes'
import { KubernetesApi } from '@laneway/testkit'
import t from 'tap'
import { EndpointsServer } from '../src/endpoints/endpoints-server.js'

const path = (group: string, kind: string) => `${group}/namespaces/shop/${kind}`

t.test('an endpoint whose pod is not known counts as base nowhere behind an endpoints server', async t => {
  const api = await KubernetesApi.start(t)
  const folder = mkdtempSync(join(tmpdir(), 'laneway-unknown-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  const kubeconfig = join(folder, 'config')
  writeFileSync(kubeconfig, api.kubeconfig('shop'))
  const pod = (name: string, tag?: string) =>
    api.store.put(path('/api/v1', 'pods'), {
      metadata: {
        name,
        uid: name,
        labels: { app: 'orders', ...(tag !== undefined && { 'alicloud.service.tag': tag }) },
      },
    })
  const slice = (...pods: string[]) =>
    api.store.put(path('/apis/discovery.k8s.io/v1', 'endpointslices'), {
      metadata: { name: 'orders-1', labels: { 'kubernetes.io/service-name': 'orders' } },
      addressType: 'IPv4',
      ports: [{ name: 'http', port: 80, protocol: 'TCP' }],
      endpoints: pods.map((name, index) => ({
        addresses: [`10.0.0.${index + 1}`],
        conditions: { ready: true },
        targetRef: { kind: 'Pod', name, uid: name },
      })),
    })
  api.store.put(path('/api/v1', 'services'), { metadata: { name: 'orders' }, spec: { selector: { app: 'orders' } } })
  pod('a')
  slice('a')

  const registry = createKubernetesSource({ kubeconfig, minBackoffMs: 2, maxBackoffMs: 20, coalesceMs: 1, warn() {} })
  t.teardown(() => registry.close())
  const served = new EndpointsServer({ source: registry, hasNamespaces: true, maxClients: 10 })
  await new Promise<void>(resolve => served.server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => served.close())
  const url = `http://127.0.0.1:${(served.server.address() as AddressInfo).port}`
  const process = () => {
    const source = createHttpSource(url, { namespace: 'shop', minBackoffMs: 2, maxBackoffMs: 20 })
    const resolver = createLaneResolver({ sources: [source], services: ['orders'], env: {}, warn() {} })
    t.teardown(() => resolver.close())
    return resolver
  }
  const gray = { header: 'gray', tags: ['gray'] }
  const base = (resolver: ReturnType<typeof process>) =>
    new Set(Array.from({ length: 50 }, () => resolver.pick('orders', undefined).endpoint?.host))
  const until = async (holds: () => boolean) => {
    while (!holds()) await new Promise(resolve => setTimeout(resolve, 1))
  }
  const first = process()
  await first.ready('orders')
  t.strictSame([...base(first)], ['10.0.0.1'])

  // The slice is ahead of the pods: b may be anything.
  slice('a', 'b')
  for (let look = 0; look < 100; look++) {
    t.strictSame([...base(first)], ['10.0.0.1'])
    await new Promise(resolve => setTimeout(resolve, 1))
  }
  const second = process()
  await second.ready('orders')
  t.strictSame([...base(second)], ['10.0.0.1'], 'for who comes meanwhile, too')
  pod('b', 'gray')
  await until(() => [first, second].every(one => one.pick('orders', gray).endpoint?.host === '10.0.0.2'))
  for (const one of [first, second]) t.strictSame([...base(one)], ['10.0.0.1'])

  // Replaced under the same name: the uid counts.
  slice('a', 'c')
  pod('b', 'gray')
  await until(() => [first, second].every(one => one.pick('orders', gray).endpoint?.host === '10.0.0.1'))
  for (const one of [first, second]) t.strictSame([...base(one)], ['10.0.0.1'])
})
