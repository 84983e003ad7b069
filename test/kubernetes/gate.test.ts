import { type GateOptions, type GateResult, runGate } from '@laneway/gate'
import t from 'tap'
// @ts-expect-error a script without types
import { findPrometheus, startPrometheus } from '../servers/prometheus/start.mjs'
import { Kube } from './kube.js'
import { Release } from './release.js'
import { Shop } from './shop.js'

const HOPS = 'sc-A=rollout-a,sc-B,sc-C=rollout-c'
const missing: string | undefined = findPrometheus()

interface Prom {
  url: string
  targets: string
  pid: number
  stop(): Promise<void>
}

async function gate(
  t: Tap.Test,
  kube: Kube,
  url: string,
  options: Partial<GateOptions> = {},
): Promise<GateResult & { log: string }> {
  const log: string[] = []
  const result = await runGate(
    {
      hops: HOPS,
      lane: 'gray',
      prometheus: url,
      kubeconfig: kube.kubeconfig,
      namespace: kube.namespace,
      intervalSeconds: 0.5,
      minRequests: 50,
      timeoutSeconds: 60,
      ...options,
    },
    { log: line => log.push(line) },
  )
  t.comment(log.slice(-12).join('\n'))
  return { ...result, log: log.join('\n') }
}

declare namespace Tap {
  type Test = { teardown(fn: () => unknown): void; comment(text: string): unknown }
}

/** A cluster, a Prometheus and the running services, visited all the time while the gate looks. */
async function everything(
  t: Tap.Test,
  failPercent: number,
): Promise<{ kube: Kube; prometheus: Prom; release: Release }> {
  const kube = await Kube.start(t)
  const prometheus: Prom = await startPrometheus()
  t.teardown(() => prometheus.stop())
  const shop = await Shop.start(t, prometheus.targets, failPercent)
  const release = await Release.start(t, kube, ['a', 'c'])
  let visiting = true
  const visits = (async () => {
    // The services read the list of endpoints in their own time.
    while (visiting) await shop.visit(10)
  })()
  t.teardown(async () => {
    visiting = false
    await visits
  })
  return { kube, prometheus, release }
}

t.test('a healthy canary is approved, the last hop first', { skip: missing ?? false }, async t => {
  const { kube, prometheus, release } = await everything(t, 0)
  const dry = await gate(t, kube, prometheus.url, { dryRun: true, minRequests: 1_000_000 })
  t.match(dry, { outcome: 'timeout', reason: /requests of lane missing/ })
  const { outcome, log } = await gate(t, kube, prometheus.url)
  t.equal(outcome, 'approved', log)
  t.strictSame(release.done, ['approved c', 'approved a'])
  t.strictSame(await release.events(), ['LaneApproved rollout-a', 'LaneApproved rollout-c'])
})

t.test(
  '5 % errors only in C, two hops behind: held, and with the option rolled back',
  { skip: missing ?? false },
  async t => {
    const { kube, prometheus, release } = await everything(t, 5)
    const dry = await gate(t, kube, prometheus.url, { minRequests: 200 })
    t.equal(dry.outcome, 'held', dry.log)
    t.match(dry.reason, /sc-C: errors [2-9]\.\d\d %/)
    t.strictSame(release.done, [])
    const path = release.deployment('c')
    const { metadata } = await kube.call('GET', path)
    const { outcome, log } = await gate(t, kube, prometheus.url, { onFail: 'rollback', minRequests: 200 })
    t.equal(outcome, 'rolled-back', log)
    t.strictSame(release.done, ['reverted a', 'reverted c'])
    const { spec } = await kube.call('GET', path)
    t.equal(spec.template.spec.containers[0].image, 'c:1')
    t.notOk(spec.template.metadata.labels['pod-template-hash'], 'the hash stays with the ReplicaSet')
    t.ok(metadata.uid)
  },
)

t.test('a Deployment that GitOps keeps is not rolled back', { skip: missing ?? false }, async t => {
  const { kube, prometheus, release } = await everything(t, 50)
  const labels = { metadata: { labels: { kept: 'by-argo' } } }
  await kube.call(
    'PATCH',
    `${release.deployment('c')}?fieldManager=argocd-controller`,
    labels,
    'application/merge-patch+json',
  )
  const { outcome, reason } = await gate(t, kube, prometheus.url, { onFail: 'rollback' })
  t.equal(outcome, 'held')
  t.match(reason, /Deployment c is managed by argocd-controller/)
  t.strictSame(release.done, [], 'the entrance is untouched as well')
})

t.test(
  'too little traffic waits, no metrics wait, a Prometheus that is down waits',
  { skip: missing ?? false },
  async t => {
    const kube = await Kube.start(t)
    const prometheus: Prom = await startPrometheus()
    let running = true
    t.teardown(() => running && prometheus.stop())
    const release = await Release.start(t, kube, ['a', 'c'])
    const none = await gate(t, kube, prometheus.url, { timeoutSeconds: 2 })
    t.equal(none.outcome, 'timeout')
    t.match(none.log, /no metrics/)
    const shop = await Shop.start(t, prometheus.targets)
    await shop.visit(20)
    const few = await gate(t, kube, prometheus.url, { timeoutSeconds: 4 })
    t.equal(few.outcome, 'timeout')
    t.match(few.log, /\d+ requests of lane missing/)
    running = false
    await prometheus.stop()
    const down = await gate(t, kube, prometheus.url, { timeoutSeconds: 2 })
    t.equal(down.outcome, 'timeout')
    t.match(down.log, /Prometheus does not answer/)
    t.strictSame(release.done, [])
  },
)

t.test('the rights of the manifests are enough, and not more', { skip: missing ?? false }, async t => {
  const { kube, prometheus, release } = await everything(t, 50)
  for (const file of ['gate.yaml', 'rollback.yaml']) await kube.apply(`packages/gate/rbac/${file}`)
  const kubeconfig = await kube.kubeconfigOf(t, 'laneway-gate')
  const roles = kube.path('/apis/rbac.authorization.k8s.io/v1', 'roles')
  const { items } = await kube.call('GET', roles)
  const without = async (resource: string, verb: string, run: () => Promise<GateResult & { log: string }>) => {
    const role = items.find((one: any) => one.rules.some((rule: any) => rule.resources.includes(resource)))
    const rules = structuredClone(role.rules)
    for (const rule of rules)
      if (rule.resources.includes(resource)) rule.verbs = rule.verbs.filter((one: string) => one !== verb)
    await kube.call(
      'PATCH',
      `${roles}/${role.metadata.name}`,
      { rules: rules.filter((rule: any) => rule.verbs.length > 0) },
      'application/merge-patch+json',
    )
    // The authorizer follows its own watch.
    await new Promise(resolve => setTimeout(resolve, 300))
    const { log } = await run()
    await kube.call('PATCH', `${roles}/${role.metadata.name}`, { rules: role.rules }, 'application/merge-patch+json')
    await new Promise(resolve => setTimeout(resolve, 300))
    t.match(
      log,
      new RegExp(`cannot ${verb} resource "${resource}"|cannot ${verb} resource "${resource.split('/')[0]}/`),
      `${verb} ${resource} is needed`,
    )
  }
  // So lenient that half of the requests may fail: this run wants to approve.
  const good = { kubeconfig, maxErrorExcess: 1, maxLatencyRatio: 1_000, timeoutSeconds: 15 }
  const bad = { kubeconfig, onFail: 'rollback' as const }
  await without('rollouts', 'get', () => gate(t, kube, prometheus.url, { ...good, timeoutSeconds: 1 }))
  await without('rollouts/status', 'patch', () => gate(t, kube, prometheus.url, good))
  await without('events', 'create', () => gate(t, kube, prometheus.url, { kubeconfig }))
  await without('deployments', 'get', () => gate(t, kube, prometheus.url, bad))
  await without('replicasets', 'list', () => gate(t, kube, prometheus.url, bad))
  await without('deployments', 'patch', () => gate(t, kube, prometheus.url, bad))
  t.strictSame(release.done, [])
  const { outcome, log } = await gate(t, kube, prometheus.url, bad)
  t.equal(outcome, 'rolled-back', log)
  t.strictSame(await release.events().then(all => all.filter(one => one.startsWith('LaneRolledBack'))), [
    'LaneRolledBack rollout-a',
    'LaneRolledBack rollout-c',
  ])
})

t.test('the rights to approve are enough to approve', { skip: missing ?? false }, async t => {
  const { kube, prometheus, release } = await everything(t, 0)
  await kube.apply('packages/gate/rbac/gate.yaml')
  const { outcome, log } = await gate(t, kube, prometheus.url, {
    kubeconfig: await kube.kubeconfigOf(t, 'laneway-gate'),
  })
  t.equal(outcome, 'approved', log)
  t.strictSame(release.done, ['approved c', 'approved a'])
})
