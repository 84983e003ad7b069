import { chmodSync } from 'node:fs'
import { createServer } from 'node:http'
import { delimiter, join } from 'node:path'
import { findClusterAccess } from '@laneway/kubernetes/internal'
import { KubernetesApi, listen } from '@laneway/testkit'
import t, { type Test } from 'tap'
import { connectCluster } from '../src/cluster/cluster.js'
import { DEPLOYMENTS, ROLLOUTS } from './world.js'

interface Parts {
  readonly server: string
  readonly user?: object
  readonly namespace?: string
}

function kubeconfig({ server, user = { token: 'test-token' }, namespace }: Parts): string {
  return JSON.stringify({
    'current-context': 'a',
    clusters: [{ name: 'c', cluster: { server } }],
    users: [{ name: 'u', user }],
    contexts: [
      { name: 'a', context: { cluster: 'c', user: 'u', ...(namespace !== undefined && { namespace }) } },
      { name: 'b', context: { cluster: 'c', user: 'u', namespace: 'of-b' } },
    ],
  })
}

async function start(t: Test) {
  const api = await KubernetesApi.start(t)
  api.store.put(ROLLOUTS, { metadata: { name: 'rollout-a', namespace: 'shop' }, 'x-unknown': 1 })
  api.store.put(DEPLOYMENTS, { metadata: { name: 'shop-a', namespace: 'shop' }, spec: { template: {} } })
  const file = join(t.testdir({ config: kubeconfig({ server: api.url, namespace: 'shop' }) }), 'config')
  return { api, file, cluster: connectCluster(file, undefined, undefined, {}) }
}

t.test('the gate and the source find the same cluster, with the same namespace', async t => {
  const folder = t.testdir({
    shop: kubeconfig({ server: 'https://one:6443', namespace: 'shop' }),
    bare: kubeconfig({ server: 'https://two:6443' }),
  })
  const shop = join(folder, 'shop')
  const bare = join(folder, 'bare')
  const cases: [kubeconfig: string | undefined, context: string | undefined, env: Record<string, string>, string][] = [
    [shop, undefined, {}, 'shop'],
    [shop, 'b', {}, 'of-b'],
    [shop, undefined, { KUBECONFIG: bare, POD_NAMESPACE: 'pod' }, 'shop'],
    [undefined, undefined, { KUBECONFIG: bare, POD_NAMESPACE: 'pod' }, 'pod'],
    [undefined, undefined, { KUBECONFIG: bare }, 'default'],
    [undefined, undefined, { KUBECONFIG: [shop, bare].join(delimiter) }, 'shop'],
  ]
  for (const [file, context, env, namespace] of cases) {
    const name = JSON.stringify([file, context, env])
    t.equal(connectCluster(file, context, undefined, env).namespace, namespace, name)
    t.equal(findClusterAccess(file, context, env).namespace, namespace, name)
    t.equal(connectCluster(file, context, 'given', env).namespace, 'given', name)
  }
})

t.test('a kubeconfig that cannot be used is an error of the gate', async t => {
  const empty = join(t.testdir({ config: '{}' }), 'config')
  for (const [file, context] of [['/no/such/file'], [empty], [empty, 'other']]) {
    t.throws(() => connectCluster(file, context, undefined, {}), { code: 'LANEWAY_GATE_CLUSTER' }, String(file))
  }
})

t.test('objects keep the fields that the gate does not know', async t => {
  const { cluster } = await start(t)
  t.match(await cluster.rollout('rollout-a'), { 'x-unknown': 1 })
})

t.test('a credential that is refused is read again, once', async t => {
  const { api } = await start(t)
  // Each start hands out another token.
  const folder = t.testdir({
    config: kubeconfig({ server: api.url, namespace: 'shop', user: { exec: plugin() } }),
    login: `#!/bin/sh
cd "$(dirname "$0")" && echo >> calls
printf '{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{"token":"t%s"}}' $(wc -l < calls)
`,
  })
  chmodSync(join(folder, 'login'), 0o755)
  const cluster = connectCluster(join(folder, 'config'), undefined, undefined, { PATH: process.env['PATH']! })
  const tokens: (string | undefined)[] = []
  api.faults.refuse = ({ headers }) => {
    tokens.push(headers.authorization)
    return headers.authorization === 'Bearer t1' ? 401 : undefined
  }
  t.match(await cluster.rollout('rollout-a'), { metadata: { name: 'rollout-a' } })
  t.strictSame(tokens, ['Bearer t1', 'Bearer t2'])
  api.faults.refuse = () => 401
  await t.rejects(cluster.rollout('rollout-a'), { code: 'LANEWAY_GATE_CLUSTER', message: /is forbidden/ })
})

/** A path is relative to the folder of its kubeconfig. */
const plugin = () => ({ apiVersion: 'client.authentication.k8s.io/v1', command: './login', interactiveMode: 'Never' })

t.test('a request is repeated while the server is not well, and not when it refuses', async t => {
  const { api, cluster } = await start(t)
  for (const [statuses, requests] of [
    [[503], 2],
    [[429, 500], 3],
    [[403], 1],
    [[404], 1],
    [[422], 1],
  ] as const) {
    const left: number[] = [...statuses]
    api.requests.length = 0
    api.faults.refuse = () => left.shift()
    const answer = cluster.rollout('rollout-a').then(
      () => 'answered',
      (error: { code: string }) => error.code,
    )
    const expected = requests === 1 ? 'LANEWAY_GATE_CLUSTER' : 'answered'
    t.equal(await answer, expected, String(statuses))
    t.equal(api.requests.length, requests, String(statuses))
  }
})

t.test('a change of an object that has changed meanwhile is no error', async t => {
  const { api, cluster } = await start(t)
  const { metadata } = api.store.get(DEPLOYMENTS, 'shop-a')!
  t.equal(await cluster.setTemplate('shop-a', '1000', { spec: 1 }), false)
  t.equal(await cluster.setTemplate('shop-a', metadata.resourceVersion!, { spec: 1 }), true)
  t.match(api.store.get(DEPLOYMENTS, 'shop-a'), { spec: { template: { spec: 1 } } })
  t.equal(await cluster.setStepState('rollout-a', '1000', 'canaryStatus', 'StepReady'), false)
})

t.test('the path in front of the API is kept, and names are escaped', async t => {
  const urls: string[] = []
  const port = await listen(
    t,
    createServer((request, response) => {
      urls.push(request.url ?? '')
      response.end('{}')
    }),
  )
  const server = `http://127.0.0.1:${port}/k8s/clusters/c-1/`
  const file = join(t.testdir({ config: kubeconfig({ server, namespace: 'shop' }) }), 'config')
  const cluster = connectCluster(file, undefined, undefined, {})
  await cluster.rollout('a/../b?c')
  t.strictSame(urls, [`/k8s/clusters/c-1${ROLLOUTS}/a%2F..%2Fb%3Fc`])
})

t.test('what stands in front of the API server is quoted', async t => {
  const answers: [number, string, RegExp][] = [
    [200, '<html>log in</html>', /the answer is no JSON: <html>log in/],
    [403, '<html>forbidden</html>', /<html>forbidden/],
    [404, '', /HTTP status 404/],
    [403, '{"kind":"Status","message":"no rights"}', /no rights/],
  ]
  for (const [status, body, message] of answers) {
    const port = await listen(
      t,
      createServer((_request, response) => response.writeHead(status).end(body)),
    )
    const config = kubeconfig({ server: `http://127.0.0.1:${port}`, namespace: 'shop' })
    const cluster = connectCluster(join(t.testdir({ config }), 'config'), undefined, undefined, {})
    await t.rejects(cluster.rollout('a'), { code: 'LANEWAY_GATE_CLUSTER', message }, body)
  }
})
