import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { parseLane } from '@laneway/core'
import { createLaneResolver } from '@laneway/discovery'
import { createKubernetesSource } from '@laneway/kubernetes'
import t from 'tap'
import { nodeBinary } from '../../scripts/node-versions.mjs'
import { Kube } from './kube.js'

const run = promisify(execFile)
const CHANGES = 200
const ENDPOINTS = 5_000
const PER_SLICE = 100

function figures(name: string, values: number[]): string {
  const sorted = [...values].sort((a, b) => a - b)
  const at = (share: number) =>
    (sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN).toFixed(1)
  return `${name}: median ${at(0.5)} ms, p99 ${at(0.99)} ms, max ${at(1)} ms of ${values.length}`
}

t.test('from a change at the API server to a changed pick', async t => {
  const kube = await Kube.start(t)
  await kube.call('POST', kube.path('/api/v1', 'services'), {
    metadata: { name: 'orders' },
    spec: { selector: { app: 'orders' }, ports: [{ name: 'http', port: 80, targetPort: 3000 }] },
  })
  for (const [name, ip] of [
    ['one', '10.5.0.1'],
    ['two', '10.5.0.2'],
    ['three', '10.5.0.3'],
  ] as const) {
    await kube.pod(name)
    await kube.report(name, ip, true)
  }
  const resolver = createLaneResolver({
    sources: [createKubernetesSource({ kubeconfig: kube.kubeconfig, namespace: kube.namespace })],
  })
  t.teardown(() => resolver.close())
  const gray = parseLane('gray')
  await resolver.ready('orders')
  // The pick is looked at in every turn of the loop; a change is what an adapter would see.
  const until = async (address: string | undefined, outcome: string) => {
    for (;;) {
      const choice = resolver.pick('orders', gray)
      if (choice.outcome === outcome && (address === undefined || choice.endpoint?.address === address)) return
      await new Promise(resolve => setImmediate(resolve))
    }
  }
  await until(undefined, 'fallback-missing')
  const label: number[] = []
  const labelAfterAnswer: number[] = []
  for (let i = 0; i < CHANGES; i++) {
    const sent = performance.now()
    let answered = sent
    const change = kube.label('two', i % 2 === 0 ? 'gray' : null).then(() => {
      answered = performance.now()
    })
    await (i % 2 === 0 ? until('10.5.0.2:3000', 'lane') : until(undefined, 'fallback-missing'))
    const seen = performance.now()
    await change
    label.push(seen - sent)
    labelAfterAnswer.push(Math.max(0, seen - answered))
  }
  t.comment(figures('pod label, from sending the change', label))
  t.comment(figures('pod label, from the answer of the API server', labelAfterAnswer))

  await kube.label('two', 'gray')
  await until('10.5.0.2:3000', 'lane')
  const ready: number[] = []
  for (let i = 0; i < 40; i++) {
    const sent = performance.now()
    const change = kube.report('two', '10.5.0.2', i % 2 === 1)
    await until(undefined, i % 2 === 1 ? 'lane' : 'fallback-unavailable')
    ready.push(performance.now() - sent)
    await change
  }
  t.comment(figures('readiness through the slice controller, from sending the change', ready))

  const { metadata } = await kube.pod('own', { app: 'direct', 'alicloud.service.tag': 'gray' })
  const direct = { address: '10.5.0.9', uid: metadata.uid, pod: 'own' }
  await kube.call('POST', kube.slices(), kube.slice('direct-1', 'direct', [direct]))
  await resolver.ready('direct')
  const slice: number[] = []
  for (let i = 0; i < CHANGES; i++) {
    const sent = performance.now()
    const body = kube.slice('direct-1', 'direct', [{ ...direct, ready: i % 2 === 1 }])
    const change = kube.call('PUT', kube.slices('direct-1'), body)
    for (;;) {
      if ((resolver.pick('direct', gray).outcome === 'lane') === (i % 2 === 1)) break
      await new Promise(resolve => setImmediate(resolve))
    }
    slice.push(performance.now() - sent)
    await change
  }
  t.comment(figures('readiness in the slice itself, from sending the change', slice))
  t.equal(label.length + slice.length, 2 * CHANGES)
})

t.test('5,000 endpoints in 50 slices', { timeout: 240_000 }, async t => {
  const kube = await Kube.start(t)
  const endpoints: { address: string; uid: string; pod: string }[] = []
  const names = Array.from({ length: ENDPOINTS }, (_, index) => index)
  await Promise.all(
    Array.from({ length: 16 }, async () => {
      for (let index = names.pop(); index !== undefined; index = names.pop()) {
        const pod = `orders-6f7c9d5b8-${index}`
        const { metadata } = await kube.pod(pod, index % 10 === 0 ? { 'alicloud.service.tag': 'gray' } : {})
        endpoints.push({
          address: `10.${100 + Math.floor(index / 65536)}.${(index >> 8) & 255}.${index & 255}`,
          uid: metadata.uid,
          pod,
        })
      }
    }),
  )
  // Its selector says which pods are followed. The controller has no addresses to add.
  await kube.call('POST', kube.path('/api/v1', 'services'), {
    metadata: { name: 'orders' },
    spec: { selector: { app: 'orders' }, ports: [{ name: 'http', port: 80, targetPort: 3000 }] },
  })
  for (let from = 0; from < ENDPOINTS; from += PER_SLICE) {
    const slice = kube.slice(`orders-${from}`, 'orders', endpoints.slice(from, from + PER_SLICE))
    await kube.call('POST', kube.slices(), slice)
  }
  const nodes = [process.execPath, await nodeBinary(24)].filter(node => node !== undefined)
  for (const node of [...nodes, ...nodes, ...nodes]) {
    const { stdout, stderr } = await run(node, [
      ...['--expose-gc', '--import', 'tsx', '--conditions=@laneway/source', 'test/kubernetes/measure-start.mts'],
      ...[kube.kubeconfig, kube.namespace, String(ENDPOINTS)],
    ])
    t.equal(stderr, '')
    const measured = JSON.parse(stdout)
    t.comment(JSON.stringify(measured, (_, value) => (typeof value === 'number' ? Math.round(value * 10) / 10 : value)))
    t.equal(measured.endpoints, ENDPOINTS)
    t.equal(measured.snapshots, 1, 'one snapshot for all')
  }
})
