import type { Clock } from './clock.js'
import type { Controllers } from './controllers.js'
import { type KubeObject, ownerOf } from './kube-object.js'
import { revisionOf } from './revision.js'
import { nextSizes } from './rolling-update.js'
import type { Store } from './store.js'

const HASH = 'pod-template-hash'

/** Rolls Deployments from one pod template to the next by way of ReplicaSets. */
export function addDeploymentController(controllers: Controllers, store: Store, clock: Clock): void {
  function reconcile(name: string): number | undefined {
    const deployment = store.get('Deployment', name)
    if (deployment === undefined) {
      for (const set of replicaSetsOf(store, name)) store.remove('ReplicaSet', set.metadata.name)
      return undefined
    }
    const { spec } = deployment
    const hash = revisionOf(spec.template)
    const fresh = store.get('ReplicaSet', `${name}-${hash}`)
    if (fresh === undefined && !spec.paused) {
      createReplicaSet(store, deployment, hash)
      return undefined
    }
    const minReadyMs = (spec.minReadySeconds ?? 0) * 1000
    const counts = new Map(replicaSetsOf(store, name).map(set => [set, countPods(store, set, clock.now(), minReadyMs)]))
    scale(store, deployment, fresh, counts)
    writeStatus(store, deployment, fresh, counts)
    const next = Math.min(...[...counts.values()].map(({ nextMs }) => nextMs))
    return next === Infinity ? undefined : next
  }
  controllers.add(reconcile, ({ kind, name, before, after }) => {
    if (kind === 'Deployment') return [name]
    const owner = kind === 'ReplicaSet' ? (after ?? before) : undefined
    const set = kind === 'Pod' ? store.get('ReplicaSet', ownerOf((after ?? before)!, 'ReplicaSet') ?? '') : owner
    const deployment = set && ownerOf(set, 'Deployment')
    return deployment === undefined ? [] : [deployment]
  })
}

export function replicaSetsOf(store: Store, deployment: string): KubeObject[] {
  return store.list('ReplicaSet').filter(one => ownerOf(one, 'Deployment') === deployment)
}

interface Counts {
  readonly pods: number
  readonly ready: number
  readonly available: number
  /** Until the next pod has been ready for long enough. */
  readonly nextMs: number
}

function countPods(store: Store, set: KubeObject, now: number, minReadyMs: number): Counts {
  let pods = 0
  let ready = 0
  let available = 0
  let nextMs = Infinity
  for (const pod of store.list('Pod')) {
    if (ownerOf(pod, 'ReplicaSet') !== set.metadata.name || pod.metadata.deletionTimestamp !== undefined) continue
    pods++
    if (!pod.status?.ready) continue
    ready++
    const missing = pod.status.readyAt + minReadyMs - now
    if (missing <= 0) available++
    else nextMs = Math.min(nextMs, Math.ceil(missing))
  }
  return { pods, ready, available, nextMs }
}

function createReplicaSet(store: Store, deployment: KubeObject, hash: string): void {
  const { name } = deployment.metadata
  const template = structuredClone(deployment.spec.template)
  template.metadata = { ...template.metadata, labels: { ...template.metadata?.labels, [HASH]: hash } }
  const revision = Math.max(0, ...replicaSetsOf(store, name).map(one => one.spec.revision)) + 1
  store.create({
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    metadata: {
      name: `${name}-${hash}`,
      labels: template.metadata.labels,
      ownerReferences: [{ kind: 'Deployment', name }],
    },
    spec: { replicas: 0, template, revision },
  })
}

function scale(
  store: Store,
  { spec }: KubeObject,
  fresh: KubeObject | undefined,
  counts: ReadonlyMap<KubeObject, Counts>,
): void {
  const wanted = spec.replicas ?? 1
  const resize = (set: KubeObject, replicas: number) =>
    store.update('ReplicaSet', set.metadata.name, draft => {
      draft.spec.replicas = replicas
    })
  const old = [...counts.keys()].filter(one => one !== fresh && one.spec.replicas > 0)
  if (spec.paused) {
    // A paused Deployment keeps its size, and its versions as they are.
    const active = [...counts.keys()].filter(one => one.spec.replicas > 0)
    if (active.length === 1) resize(active[0]!, wanted)
    return
  }
  const sizes = nextSizes({
    wanted,
    fresh: fresh!.spec.replicas,
    freshAvailable: counts.get(fresh!)?.available ?? 0,
    old: old.reduce((sum, one) => sum + one.spec.replicas, 0),
    oldAvailable: old.reduce((sum, one) => sum + (counts.get(one)?.available ?? 0), 0),
    maxSurge: spec.strategy?.rollingUpdate?.maxSurge ?? '25%',
    maxUnavailable: spec.strategy?.rollingUpdate?.maxUnavailable ?? '25%',
  })
  resize(fresh!, sizes.fresh)
  let keep = sizes.old
  for (const set of old.reverse()) {
    const replicas = Math.min(set.spec.replicas, keep)
    keep -= replicas
    resize(set, replicas)
  }
}

function writeStatus(
  store: Store,
  { metadata }: KubeObject,
  fresh: KubeObject | undefined,
  counts: ReadonlyMap<KubeObject, Counts>,
): void {
  const sum = (field: 'pods' | 'ready' | 'available') => [...counts.values()].reduce((all, one) => all + one[field], 0)
  store.update('Deployment', metadata.name, draft => {
    draft.status = {
      observedGeneration: metadata.generation,
      replicas: sum('pods'),
      updatedReplicas: fresh === undefined ? 0 : (counts.get(fresh)?.pods ?? 0),
      readyReplicas: sum('ready'),
      availableReplicas: sum('available'),
    }
  })
}

/** Whether everything that a Deployment asks for runs, and nothing else. */
export function isComplete({ spec, status, metadata }: KubeObject): boolean {
  const wanted = spec.replicas ?? 1
  return (
    status?.observedGeneration === metadata.generation &&
    status.replicas === wanted &&
    status.updatedReplicas === wanted &&
    status.availableReplicas === wanted
  )
}
