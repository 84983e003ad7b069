import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createKubernetesSource, type KubernetesSourceOptions } from '@laneway/kubernetes'
import { SourceReports } from '@laneway/testkit'
import t from 'tap'
import { parse } from 'yaml'
import { inClusterAccess } from '../../packages/kubernetes/src/access/in-cluster.js'
import { ApiClient } from '../../packages/kubernetes/src/watch/api-client.js'
import { Kube } from './kube.js'

function watch(t: Tap.Test, kube: Kube, options: KubernetesSourceOptions = {}): SourceReports {
  const source = createKubernetesSource({ kubeconfig: kube.kubeconfig, namespace: kube.namespace, ...options })
  t.teardown(() => source.close())
  const seen = new SourceReports()
  source.subscribe('orders', seen.listener)
  return seen
}

declare namespace Tap {
  type Test = { teardown(fn: () => unknown): void }
}

async function twoPods(kube: Kube): Promise<void> {
  const endpoints = []
  for (const [index, tag] of [undefined, 'gray'].entries()) {
    const name = `pod-${index}`
    const { metadata } = await kube.pod(name, tag === undefined ? {} : { 'alicloud.service.tag': tag })
    endpoints.push({ address: `10.1.0.${index + 1}`, uid: metadata.uid, pod: name })
  }
  await kube.call('POST', kube.slices(), kube.slice('orders-1', 'orders', endpoints))
}

const BOTH = '10.1.0.1:3000=base 10.1.0.2:3000=gray'

t.test('slices and pods of a real API server are joined, and followed', async t => {
  const kube = await Kube.start(t)
  await twoPods(kube)
  const seen = watch(t, kube)
  await seen.untilTable(BOTH)
  await kube.label('pod-0', 'blue')
  await seen.untilTable('10.1.0.1:3000=blue 10.1.0.2:3000=gray')
  await kube.label('pod-0', null)
  await seen.untilTable(BOTH)
  await kube.call('DELETE', kube.path('/api/v1', 'pods/pod-1'))
  await seen.untilTable('10.1.0.1:3000=base')
  await kube.call('DELETE', kube.slices('orders-1'))
  await seen.until(one => one.last === 'missing')
  t.notOk(seen.kinds.includes('stale'))
})

t.test('the slices of the real controller: pods come, become ready, unready, and go', async t => {
  const kube = await Kube.start(t)
  await kube.call('POST', kube.path('/api/v1', 'services'), {
    metadata: { name: 'orders' },
    spec: { selector: { app: 'orders' }, ports: [{ name: 'web', port: 80, targetPort: 3000 }] },
  })
  const seen = watch(t, kube, { port: 80 })
  await seen.until(one => one.last === 'snapshot')
  t.strictSame(seen.endpoints, [], 'a Service without pods exists')
  await kube.pod('one')
  await kube.pod('two', { 'alicloud.service.tag': 'gray' })
  await kube.report('one', '10.2.0.1', true)
  await kube.report('two', '10.2.0.2', false)
  await seen.until(one => one.endpoints.length === 2)
  t.equal(seen.table, '10.2.0.1:3000=base 10.2.0.2:3000=gray')
  t.equal(seen.endpoints.find(one => one.host === '10.2.0.2')?.health, 'unhealthy')
  await kube.report('two', '10.2.0.2', true)
  await seen.until(one => one.endpoints.every(endpoint => endpoint.health === 'healthy'))
  await kube.report('one', '10.2.0.1', false)
  await seen.until(one => one.endpoints.some(endpoint => endpoint.health === 'unhealthy'))
  await kube.call('DELETE', kube.path('/api/v1', 'pods/one'))
  await seen.untilTable('10.2.0.2:3000=gray')
  await kube.call('DELETE', kube.path('/api/v1', 'services/orders'))
  await seen.until(one => one.last === 'missing')
})

t.test('a pod that takes over an address does not inherit its lane', async t => {
  const kube = await Kube.start(t)
  await kube.call('POST', kube.path('/api/v1', 'services'), {
    metadata: { name: 'orders' },
    spec: { selector: { app: 'orders' }, ports: [{ name: 'http', port: 80, targetPort: 3000 }] },
  })
  const seen = watch(t, kube)
  await kube.pod('old', { 'alicloud.service.tag': 'gray' })
  await kube.report('old', '10.3.0.1', true)
  await seen.untilTable('10.3.0.1:3000=gray')
  await kube.call('DELETE', kube.path('/api/v1', 'pods/old'))
  await kube.pod('new')
  await kube.report('new', '10.3.0.1', true)
  await seen.untilTable('10.3.0.1:3000=base')
})

t.test('one Service per lane, by the labels that the real controller copies', async t => {
  const kube = await Kube.start(t)
  for (const [name, lane, labels] of [
    ['orders', 'base', {}],
    ['orders-gray', 'gray', { 'alicloud.service.tag': 'gray' }],
  ] as const) {
    await kube.call('POST', kube.path('/api/v1', 'services'), {
      metadata: { name, labels },
      spec: { selector: { app: 'orders', lane }, ports: [{ name: 'http', port: 80, targetPort: 3000 }] },
    })
    await kube.pod(name, { lane })
    await kube.report(name, lane === 'base' ? '10.4.0.1' : '10.4.0.2', true)
  }
  await watch(t, kube, { laneFrom: 'serviceLabel' }).untilTable('10.4.0.1:3000=base 10.4.0.2:3000=gray')
})

t.test('a watch that is cut again and again goes on where it was', async t => {
  const kube = await Kube.start(t)
  await twoPods(kube)
  const seen = watch(t, kube, { idleTimeoutMs: 50, minBackoffMs: 1, maxBackoffMs: 10 })
  await seen.untilTable(BOTH)
  for (const tag of ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h']) {
    await kube.label('pod-0', tag)
    await seen.untilTable(`10.1.0.1:3000=${tag} 10.1.0.2:3000=gray`)
  }
})

t.test('every way of authentication: certificate, token, exec plugin, impersonation', async t => {
  const kube = await Kube.start(t)
  await twoPods(kube)
  const own = parse(readFileSync(kube.kubeconfig, 'utf8'))
  const user = own.users.find(
    (one: any) => one.name === own.contexts.find((two: any) => two.name === own['current-context']).context.user,
  ).user
  const token = own.users.find((one: any) => one.user.token !== undefined)?.user.token
  const ways: Record<string, unknown> = {
    own: user,
    impersonation: { ...user, as: 'admin', 'as-groups': ['system:masters'] },
  }
  if (token !== undefined) {
    const credential = JSON.stringify({
      apiVersion: 'client.authentication.k8s.io/v1',
      kind: 'ExecCredential',
      status: { token },
    })
    ways['token'] = { token }
    ways['exec plugin'] = {
      exec: { apiVersion: 'client.authentication.k8s.io/v1', command: 'echo', args: [credential] },
    }
  }
  for (const [name, way] of Object.entries(ways)) {
    await watch(t, kube, { kubeconfig: await kube.kubeconfigOf(t, 'laneway-discovery', way) }).untilTable(BOTH)
    t.pass(name)
  }
})

t.test('the service account of a pod, with a token that is replaced', async t => {
  const kube = await Kube.start(t)
  await kube.apply('packages/kubernetes/rbac/pods.yaml')
  const { clusters, users } = parse(readFileSync(await kube.kubeconfigOf(t, 'laneway-discovery'), 'utf8'))
  const folder = mkdtempSync(join(tmpdir(), 'laneway-account-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  const write = (name: string, content: string | Buffer) => writeFileSync(join(folder, name), content)
  write('ca.crt', Buffer.from(clusters[0].cluster['certificate-authority-data'], 'base64'))
  write('namespace', kube.namespace)
  write('token', 'of yesterday')
  const { hostname, port } = new URL(clusters[0].cluster.server)
  const access = inClusterAccess({ KUBERNETES_SERVICE_HOST: hostname, KUBERNETES_SERVICE_PORT: port }, folder)!
  t.equal(access.namespace, kube.namespace)
  const client = new ApiClient(access, 5_000)
  t.teardown(() => client.close())
  const { signal } = new AbortController()
  const list = () => client.get({ path: kube.slices(), query: {}, accept: 'application/json', signal })
  await t.rejects(list(), { name: 'ApiError', message: /401/ })
  write('token', users[0].user.token)
  t.match(await list(), { kind: 'EndpointSliceList' })
})

const pid = Number(process.env['LANEWAY_TEST_API_SERVER_PID'] ?? 0)
t.test(
  'an API server that hangs: the last good snapshot stays, and goes on afterwards',
  { skip: pid === 0 && 'not our own API server' },
  async t => {
    const kube = await Kube.start(t)
    await twoPods(kube)
    const seen = watch(t, kube, { idleTimeoutMs: 300, requestTimeoutMs: 300, minBackoffMs: 10, maxBackoffMs: 50 })
    await seen.untilTable(BOTH)
    process.kill(pid, 'SIGSTOP')
    try {
      await seen.until(one => one.last === 'stale')
      t.equal(seen.table, BOTH)
    } finally {
      process.kill(pid, 'SIGCONT')
    }
    await seen.until(one => one.last === 'snapshot')
    await kube.label('pod-1', 'blue')
    await seen.untilTable('10.1.0.1:3000=base 10.1.0.2:3000=blue')
  },
)
