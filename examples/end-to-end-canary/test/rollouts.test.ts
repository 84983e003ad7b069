import t from 'tap'
import { type Cluster, createCluster } from '../src/cluster/cluster.js'
import { nextSizes } from '../src/cluster/rolling-update.js'
import { apply } from '../src/commands/apply.js'
import { approve } from '../src/commands/approve.js'
import { deleteObjects } from '../src/commands/delete.js'
import { setImage } from '../src/commands/set-image.js'
import { undo } from '../src/commands/undo.js'
import { entranceRules } from '../src/play/entrance-rules.js'
import { extraDeploymentOf } from '../src/rollouts/batch-release.js'
import { fakePods } from './fake-pods.js'
import { manifestsOf, type Profile, startCluster } from './play-cluster.js'
import { VirtualClock } from './virtual-clock.js'

const PROFILES: readonly Profile[] = ['laneway-gateway', 'gateway-api', 'mse-ingress']
const isPaused = (status: any) => status.currentStepState === 'StepPaused' && /manually confirm/.test(status.message)
const gray = (cluster: Cluster) =>
  cluster.store.list('Pod').filter(one => one.metadata.labels?.['alicloud.service.tag'] === 'gray')

for (const profile of PROFILES) {
  t.test(`${profile}: one user, half of the pods and of the requests, all`, async t => {
    const { cluster, clock, rollout } = await startCluster(profile, 'three')
    const { store } = cluster
    t.equal(entranceRules(store).colouring, 'nobody')
    store.update('Deployment', 'spring-cloud-c', draft => {
      draft.spec.replicas = 4
    })
    await clock.pass(10_000)
    setImage(cluster, 'spring-cloud-c', '2.0.1')
    await clock.until(() => isPaused(rollout('rollout-c')))
    t.equal(
      rollout('rollout-c').message,
      'Rollout is in step(1/3), and you need manually confirm to enter the next step',
    )
    t.equal(gray(cluster).length, 1)
    t.equal(entranceRules(store).colouring, 'matches')

    approve(cluster, 'rollout-c')
    await clock.until(() => rollout('rollout-c').currentStepIndex === 2 && isPaused(rollout('rollout-c')))
    t.equal(gray(cluster).length, 2, 'half of four')
    apply(cluster, manifestsOf(profile, 'half-of-requests'))
    await clock.pass(4000)
    const { colouring, document } = entranceRules(store)
    t.equal(colouring, 'share')
    t.match(document, { rules: [{ split: { lanes: [{ lane: 'gray', percent: 50 }] } }] })

    const told: string[] = []
    store.watch(({ kind, name, after }) => {
      if (kind === 'Rollout' && name === 'rollout-c') told.push(after!.status.message)
    })
    approve(cluster, 'rollout-c')
    await clock.until(() => rollout('rollout-c').phase === 'Healthy')
    t.notOk(
      told.some(message => /step\(3\/3\), and you need/.test(message)),
      'the last batch of all does not wait',
    )
    t.equal(store.get('Deployment', 'spring-cloud-c')!.status.availableReplicas, 4)
    t.equal(extraDeploymentOf(store, 'spring-cloud-c'), undefined)
    await clock.pass(5000)
    t.equal(gray(cluster).length, 0)
    t.equal(entranceRules(store).colouring, 'nobody')
  })
}

t.test('the fixed waits are those that were recorded', async t => {
  const { cluster, clock, rollout } = await startCluster('gateway-api', 'one')
  const { store } = cluster
  const since = async (start: number, holds: () => boolean) => {
    await clock.until(holds)
    return clock.now() - start
  }
  const between = (ms: number, from: number, to: number, what: string) =>
    t.ok(ms >= from && ms <= to, `${what}: ${Math.round(ms)} ms, recorded ${from} to ${to}`)
  const changed = clock.now()
  setImage(cluster, 'spring-cloud-a', '2.0.1')
  between(await since(changed, () => entranceRules(store).colouring === 'matches'), 2800, 3300, 'route')
  between(await since(changed, () => gray(cluster).length > 0), 4000, 7600, 'gray pod')
  between(await since(changed, () => isPaused(rollout('rollout-a'))), 11_000, 15_000, 'paused')
  const approved = clock.now()
  approve(cluster, 'rollout-a')
  between(await since(approved, () => entranceRules(store).colouring === 'nobody'), 50, 250, 'route gone')
  between(
    await since(approved, () => !store.get('Deployment', 'spring-cloud-a')!.spec.paused),
    1900,
    2500,
    'base rolls',
  )
  const routing = () => store.get('TrafficRouting', 'lane-traffic')!.status.phase
  between(await since(approved, () => routing() === 'Healthy'), 2900, 3400, 'TrafficRouting')
  between(await since(approved, () => rollout('rollout-a').phase === 'Healthy'), 11_000, 13_000, 'done')
  t.equal(gray(cluster).length, 1, 'the gray pod is the last to go')
})

t.test('a third version in the middle: the old gray pods go at once, the state says StepPaused meanwhile', async t => {
  const { cluster, clock, rollout } = await startCluster('gateway-api', 'one')
  setImage(cluster, 'spring-cloud-a', '2.0.1')
  await clock.until(() => isPaused(rollout('rollout-a')))
  setImage(cluster, 'spring-cloud-a', '2.0.2')
  await clock.pass(1000)
  t.equal(gray(cluster).length, 0)
  t.equal(rollout('rollout-a').currentStepState, 'StepPaused')
  t.match(rollout('rollout-a').conditions, [{ reason: 'Initializing', message: 'Workload is continuous release' }])
  t.equal(entranceRules(cluster.store).colouring, 'matches', 'routes stay')
  await clock.until(() => gray(cluster).some(one => one.status.ready))
  t.match(gray(cluster)[0]!.spec.containers[0].image, /:2\.0\.2$/)
  await clock.until(() => isPaused(rollout('rollout-a')))
})

t.test('a Rollout deleted in the middle leaves a base that rolls to the new version', async t => {
  const { cluster, clock, rollout } = await startCluster('gateway-api', 'one')
  const { store } = cluster
  setImage(cluster, 'spring-cloud-a', '2.0.1')
  await clock.until(() => isPaused(rollout('rollout-a')))
  t.same(deleteObjects(cluster, [store.get('Rollout', 'rollout-a')!]), [
    'rollout.rollouts.kruise.io "rollout-a" deleted',
  ])
  await clock.until(() => gray(cluster).length === 0, 10_000)
  await clock.pass(20_000)
  t.equal(rollout('rollout-a'), undefined)
  const pods = store.list('Pod').filter(one => one.metadata.name.startsWith('spring-cloud-a-'))
  t.same(
    pods.map(one => one.spec.containers[0].image.split(':')[1]),
    ['2.0.1', '2.0.1'],
  )
  t.equal(entranceRules(store).colouring, 'nobody')
})

t.test('an approval after a rollback is accepted and does nothing', async t => {
  const { cluster, clock, rollout } = await startCluster('gateway-api', 'one')
  setImage(cluster, 'spring-cloud-a', '2.0.1')
  await clock.until(() => isPaused(rollout('rollout-a')))
  t.same(undo(cluster, 'rollout-a'), ['rollout.rollouts.kruise.io/rollout-a rolled back'])
  await clock.until(() => rollout('rollout-a').phase === 'Healthy')
  t.same(approve(cluster, 'rollout-a'), ['rollout.rollouts.kruise.io/rollout-a approved'])
  await clock.pass(10_000)
  t.match(rollout('rollout-a'), { phase: 'Healthy', currentStepState: 'StepReady' })
  t.equal(cluster.store.get('Deployment', 'spring-cloud-a')!.spec.paused, false)
})

t.test('what is refused is refused in the words of the cluster', async t => {
  const { cluster } = await startCluster('gateway-api', 'one')
  const second = structuredClone(
    manifestsOf('gateway-api', 'one-batch').find(one => one.metadata.name === 'rollout-a')!,
  )
  second.metadata.name = 'rollout-a2'
  t.throws(
    () => apply(cluster, [second]),
    /This rollout conflict with Rollout\(laneway-demo\/rollout-a\), one workload only have less than one Rollout/,
  )
  t.throws(
    () => approve(cluster, 'rollout-a'),
    /does not allow to approve, because current canary state is not 'StepPaused'/,
  )
  t.throws(
    () => setImage(cluster, 'nobody', '1'),
    /^Error from server \(NotFound\): deployments.apps "nobody" not found$/m,
  )
  const partition = structuredClone(second)
  delete partition.spec.strategy.canary.enableExtraWorkloadForCanary
  t.throws(() => apply(cluster, [partition]), /only the style with an extra Deployment is played/)
})

t.test('a Deployment without a Rollout rolls by itself, never below what it must keep', async t => {
  const clock = new VirtualClock()
  const cluster = createCluster(clock, fakePods(clock), error => {
    throw error
  })
  const [deployment] = manifestsOf('gateway-api').filter(
    one => one.metadata.name === 'spring-cloud-b' && one.kind === 'Deployment',
  )
  apply(cluster, [deployment!])
  await clock.pass(7000)
  let least = Infinity
  let most = 0
  cluster.store.watch(({ kind, after }) => {
    if (kind !== 'Deployment') return
    least = Math.min(least, after!.status.availableReplicas)
    most = Math.max(most, after!.status.replicas)
  })
  setImage(cluster, 'spring-cloud-b', '2.0.1')
  await clock.pass(20_000)
  t.match(cluster.store.get('Deployment', 'spring-cloud-b')!.status, {
    replicas: 2,
    updatedReplicas: 2,
    availableReplicas: 2,
  })
  t.equal(least, 2)
  t.equal(most, 3)
})

t.test('sizes of a rolling update', async t => {
  const state = { wanted: 4, fresh: 0, freshAvailable: 0, old: 4, oldAvailable: 4, maxSurge: '25%', maxUnavailable: 0 }
  t.same(nextSizes(state), { fresh: 1, old: 4 })
  t.same(nextSizes({ ...state, fresh: 1 }), { fresh: 1, old: 4 }, 'waits for the new one')
  t.same(nextSizes({ ...state, fresh: 1, freshAvailable: 1 }), { fresh: 1, old: 3 })
  t.same(nextSizes({ ...state, maxSurge: 0, maxUnavailable: '50%' }), { fresh: 0, old: 2 })
  t.same(nextSizes({ ...state, maxSurge: 0 }), { fresh: 0, old: 3 }, 'one of them has to give')
  t.same(nextSizes({ ...state, fresh: 1, oldAvailable: 2 }), { fresh: 1, old: 4 })
  t.same(nextSizes({ ...state, fresh: 6 }), { fresh: 4, old: 4 }, 'smaller than before')
})
