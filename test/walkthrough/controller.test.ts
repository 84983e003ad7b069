import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseLane } from '@laneway/core'
import { createLaneResolver } from '@laneway/discovery'
import { createKubernetesSource } from '@laneway/kubernetes'
import { compileRules, parseRules } from '@laneway/rules'
import t from 'tap'
// @ts-expect-error a script without types
import { findProgram } from '../servers/debian.mjs'
// @ts-expect-error a script without types
import { findCrds } from '../servers/kubernetes/crds.mjs'
// @ts-expect-error a script without types
import { installControlPlane } from '../servers/kubernetes/install.mjs'
// @ts-expect-error a script without types
import { keepPods } from '../servers/kubernetes/pods.mjs'
// @ts-expect-error a script without types
import { installRollouts, startRollouts } from '../servers/kubernetes/rollouts.mjs'
// @ts-expect-error a script without types
import { startControlPlane } from '../servers/kubernetes/start.mjs'
import { Cluster } from './cluster.js'
import { objectOf, PROFILES } from './manifests.js'
import { assertTraced } from './traced.js'

const { files = [], problem }: { files?: string[]; problem?: string } = findCrds()
const missing: string | undefined =
  problem ?? findProgram('kubectl', 'kubernetes-client', 'help') ?? installControlPlane() ?? installRollouts()

const COMPLETED = 'workload deployment is completed'
const DONE = 'Rollout progressing has been completed'
const CANCELLED = 'Rollout progressing has been cancelled'
const XIAOMING = { headers: { 'user-agent': 'xiaoming' } }
const FOLLOWER = 'examples/end-to-end-canary/docker/gateway/follow-traffic-routing.js'

t.test('releases with the controller of OpenKruise Rollouts', { skip: missing ?? false, jobs: 3 }, async t => {
  const plane = await startControlPlane()
  t.teardown(() => plane.stop())
  t.teardown(await keepPods(plane.kubeconfig))
  t.teardown(await startRollouts(plane.kubeconfig))
  const admin = new Cluster(plane.kubeconfig, 'laneway-gateway')
  for (const file of files) if (!file.includes('kruise')) await admin.kubectl(['create', '-f', file])
  await admin.kubectl(['wait', '--for=condition=Established', '--timeout=60s', 'crd', '--all'])
  // One for the cluster; two that create it at once would disturb each other.
  const script = objectOf('laneway-gateway', 'ConfigMap', 'kruise-rollout-configuration')
  await admin.kubectl(['apply', '-f', '-'], JSON.stringify(script))

  for (const profile of PROFILES) {
    t.test(`${profile}: one user, half, all; and a rollback`, async t => {
      const cluster = new Cluster(plane.kubeconfig, profile)
      await cluster.apply(profile, /^Namespace$/)
      await cluster.apply(profile)
      for (const service of ['a', 'b', 'c']) await cluster.healthy(service, COMPLETED)
      for (const service of ['a', 'b', 'c']) {
        await cluster.until('deployment', `spring-cloud-${service}`, ({ status }) => status.availableReplicas === 2)
      }
      const before = await routeOf(cluster)
      t.strictSame(laneNow(before), [], 'nobody is coloured')

      await cluster.setImage(['a', 'c'], '2.0.1')
      for (const service of ['a', 'c']) await cluster.paused(service, 1)
      const base = ['a 2.0.0 base', 'a 2.0.0 base', 'b 2.0.0 base', 'b 2.0.0 base', 'c 2.0.0 base', 'c 2.0.0 base']
      const named = (pods: string[]) => pods.map(pod => `spring-cloud-${pod}`).sort()
      t.strictSame(await cluster.pods(), named([...base, 'a 2.0.1 gray', 'c 2.0.1 gray']), 'B has none')
      await cluster.routing('Progressing')
      t.strictSame(laneNow(await routeOf(cluster)), ['User-Agent=xiaoming gray'])
      if (profile === 'laneway-gateway') {
        await followed(t, cluster, plane, 'gray')
        await discovered(t, cluster)
      }

      await cluster.apply(`${profile}/half-of-requests`)
      await changed(cluster, 'weight 50 gray')
      t.strictSame(laneNow(await routeOf(cluster)), ['weight 50 gray'])
      for (const service of ['c', 'a']) await cluster.approve(service)
      for (const service of ['c', 'a']) await cluster.paused(service, 2)
      await cluster.approve('c')
      await cluster.healthy('c', DONE)
      await cluster.routing('Progressing')
      t.strictSame(laneNow(await routeOf(cluster)), ['weight 50 gray'], 'as long as A is on its way')
      await cluster.approve('a')
      await cluster.healthy('a', DONE)
      await cluster.routing('Healthy')
      t.strictSame(await routeOf(cluster), before, 'the route is as it was')
      const next = base.map(pod => pod.replace(/([ac]) 2.0.0/, '$1 2.0.1'))
      t.strictSame(await cluster.pods(), named(next))

      await cluster.apply(profile, /^TrafficRouting$/)
      await cluster.setImage(['a', 'c'], '2.0.2')
      for (const service of ['a', 'c']) await cluster.paused(service, 1)
      t.strictSame(laneNow(await routeOf(cluster)), ['User-Agent=xiaoming gray'])
      await cluster.setImage(['a'], '2.0.1')
      await cluster.healthy('a', CANCELLED)
      t.strictSame(await cluster.pods(), named([...next, 'c 2.0.2 gray']))
      t.strictSame(laneNow(await routeOf(cluster)), ['User-Agent=xiaoming gray'], 'C is still gray')
      await cluster.setImage(['c'], '2.0.1')
      await cluster.healthy('c', CANCELLED)
      await cluster.routing('Healthy')
      t.strictSame(await cluster.pods(), named(next))
      t.strictSame(await routeOf(cluster), before)
      if (profile === 'laneway-gateway') await followed(t, cluster, plane, undefined)
    })
  }
})

/** The specs and annotations of what the controller writes to: the HTTPRoute, or the Ingress and its canary. */
async function routeOf(cluster: Cluster): Promise<any[]> {
  const kind = cluster.profile === 'mse-ingress' ? 'ingress' : 'httproute'
  const { items } = JSON.parse(await cluster.kubectl(['get', kind, '-o', 'json']))
  return items.map(({ metadata, spec }: any) => ({ name: metadata.name, annotations: metadata.annotations, spec }))
}

async function changed(cluster: Cluster, wanted: string): Promise<void> {
  while (!laneNow(await routeOf(cluster)).includes(wanted)) await new Promise(resolve => setTimeout(resolve, 300))
}

/** Who is coloured by a route, in words. */
function laneNow(routes: any[]): string[] {
  return routes.flatMap(({ annotations, spec }) => {
    const said = (name: string) => annotations[`nginx.ingress.kubernetes.io/canary${name}`]
    const tag = annotations['mse.ingress.kubernetes.io/request-header-control-update']?.split(' ')[1]
    if (said('-weight') !== undefined) return [`weight ${said('-weight')} ${tag}`]
    if (said('') === 'true') return [`${said('-by-header')}=${said('-by-header-value')} ${tag}`]
    return (spec.rules ?? []).flatMap((rule: any) => {
      const setOf = (filters: any[] = []) => filters[0]?.requestHeaderModifier.set?.[0].value
      const [header] = rule.matches?.[0].headers ?? []
      const matched = setOf(rule.filters) ? [`${header.name}=${header.value} ${setOf(rule.filters)}`] : []
      const weighed = (rule.backendRefs ?? []).filter(({ filters }: any) => setOf(filters))
      return [...matched, ...weighed.map((one: any) => `weight ${one.weight} ${setOf(one.filters)}`)]
    })
  })
}

/** The container beside the gateway, with the rights that the manifests give to it. */
async function followed(t: any, cluster: Cluster, plane: { server: string; kubeconfig: string }, lane?: string) {
  const folder = t.testdir({})
  const token = await cluster.kubectl(['create', 'token', 'laneway-gateway'])
  writeFileSync(join(folder, 'token'), token)
  const config = JSON.parse(await cluster.kubectl(['config', 'view', '--raw', '-o', 'json']))
  const ca = Buffer.from(config.clusters[0].cluster['certificate-authority-data'], 'base64')
  writeFileSync(join(folder, 'ca.crt'), ca)
  const env = {
    API_SERVER: plane.server,
    NAMESPACE: cluster.namespace,
    TOKEN_FILE: join(folder, 'token'),
    NODE_EXTRA_CA_CERTS: join(folder, 'ca.crt'),
  }
  const file = join(folder, 'rules.yaml')
  const { status, stderr, stdout } = spawnSync(process.execPath, [FOLLOWER, 'lane-traffic', file, '--once'], {
    env: { ...process.env, ...env },
    encoding: 'utf8',
    timeout: 20_000,
  })
  t.equal(status, 0, stderr)
  t.match(stdout, lane === undefined ? 'no release in progress' : 'colouring by lane-traffic')
  t.equal(parseRules(readFileSync(file, 'utf8')).laneOf(XIAOMING)?.header, lane)
  if (lane !== undefined) {
    const [route] = await routeOf(cluster)
    const read = compileRules({ apiVersion: 'gateway.networking.k8s.io/v1', kind: 'HTTPRoute', metadata: {}, ...route })
    t.equal(read.laneOf(XIAOMING)?.header, lane, 'the route says the same')
    const rules = readFileSync(file, 'utf8')
    await t.test('laneway trace prints what the pages show', (t: any) => assertTraced(t, rules))
  }
}

/** Discovery by EndpointSlices and pod labels, with the rights that the manifests give to the services. */
async function discovered(t: any, cluster: Cluster) {
  const token = (await cluster.kubectl(['create', 'token', cluster.namespace])).trim()
  const config = JSON.parse(await cluster.kubectl(['config', 'view', '--raw', '-o', 'json']))
  const [{ name, cluster: server }] = config.clusters
  const kubeconfig = join(t.testdir({}), 'kubeconfig')
  const context = { cluster: name, user: 'demo', namespace: cluster.namespace }
  writeFileSync(
    kubeconfig,
    JSON.stringify({
      clusters: [{ name, cluster: server }],
      users: [{ name: 'demo', user: { token } }],
      contexts: [{ name: 'demo', context }],
      'current-context': 'demo',
    }),
  )
  const source = createKubernetesSource({ kubeconfig })
  await source.ready()
  const services = ['spring-cloud-a', 'spring-cloud-b', 'spring-cloud-c']
  const resolver = createLaneResolver({ sources: [source], services })
  try {
    for (const service of services) await resolver.ready(service)
    const gray = parseLane('gray')
    t.strictSame(
      services.map(service => resolver.pick(service, gray).outcome),
      ['lane', 'fallback-missing', 'lane'],
      'the lane of the walkthrough',
    )
    t.strictSame(
      services.map(service => resolver.pick(service, undefined).outcome),
      ['base', 'base', 'base'],
    )
  } finally {
    await resolver.close()
  }
}
