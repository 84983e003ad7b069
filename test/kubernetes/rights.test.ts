import { createKubernetesSource, type KubernetesSourceOptions } from '@laneway/kubernetes'
import { SourceReports } from '@laneway/testkit'
import t from 'tap'
import { Kube } from './kube.js'

const FOLDER = 'packages/kubernetes/rbac'

/** Takes one verb out of one rule of the Role. */
interface Cut {
  readonly resource: string
  readonly verb: string
}

async function clusterWith(t: any, files: readonly string[], cut?: Cut): Promise<{ kube: Kube; kubeconfig: string }> {
  const kube = await Kube.start(t)
  const { metadata } = await kube.pod('pod-0', { 'alicloud.service.tag': 'gray' })
  await kube.call('POST', kube.path('/api/v1', 'services'), {
    metadata: { name: 'orders' },
    spec: { ports: [{ name: 'http', port: 80 }] },
  })
  const slice = kube.slice('orders-1', 'orders', [{ address: '10.1.0.1', uid: metadata.uid, pod: 'pod-0' }])
  await kube.call('POST', kube.slices(), slice)
  for (const file of files) {
    await kube.apply(`${FOLDER}/${file}`, document => {
      for (const rule of document.rules ?? []) {
        if (rule.resources.includes(cut?.resource)) rule.verbs = rule.verbs.filter((verb: string) => verb !== cut?.verb)
      }
    })
  }
  return { kube, kubeconfig: await kube.kubeconfigOf(t, 'laneway-discovery') }
}

const CASES: { files: string[]; options: KubernetesSourceOptions; table: string; resources: string[] }[] = [
  { files: ['pods.yaml'], options: {}, table: '10.1.0.1:3000=gray', resources: ['endpointslices', 'pods'] },
  {
    files: ['service-label.yaml'],
    options: { laneFrom: 'serviceLabel' },
    table: '10.1.0.1:3000=base',
    resources: ['endpointslices'],
  },
  {
    files: ['pods.yaml', 'port-numbers.yaml'],
    options: { port: 80 },
    table: '10.1.0.1:3000=gray',
    resources: ['services'],
  },
]

for (const { files, options, table, resources } of CASES) {
  t.test(`${files.join(' and ')} is enough`, async t => {
    const { kubeconfig } = await clusterWith(t, files)
    // Short idle time: the right to watch is used, not only the one to list.
    const source = createKubernetesSource({ kubeconfig, idleTimeoutMs: 200, ...options })
    t.teardown(() => source.close())
    await source.ready()
    const seen = new SourceReports()
    source.subscribe('orders', seen.listener)
    await seen.untilTable(table)
  })
  for (const resource of resources) {
    for (const verb of ['list', 'watch']) {
      t.test(`${files.join(' and ')} is not more than enough: without ${verb} of ${resource} it says so`, async t => {
        const { kubeconfig } = await clusterWith(t, files, { resource, verb })
        const source = createKubernetesSource({ kubeconfig, ...options })
        t.teardown(() => source.close())
        const seen = new SourceReports()
        source.subscribe('orders', seen.listener)
        await seen.until(one => one.errors.length > 0)
        t.match(seen.errors[0], { code: 'LANEWAY_AUTH', message: new RegExp(`not allowed to ${verb} ${resource}`) })
        if (verb === 'list') await t.rejects(source.ready(), { code: 'LANEWAY_AUTH' })
      })
    }
  }
}

t.test('without any right on pods the start fails and names the other way', async t => {
  const { kubeconfig } = await clusterWith(t, ['service-label.yaml'])
  const source = createKubernetesSource({ kubeconfig })
  t.teardown(() => source.close())
  await t.rejects(source.ready(), {
    code: 'LANEWAY_AUTH',
    message: /not allowed to list pods .* laneFrom: 'serviceLabel'/,
  })
})
