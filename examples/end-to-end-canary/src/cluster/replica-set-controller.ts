import type { Controllers } from './controllers.js'
import { type KubeObject, ownerOf } from './kube-object.js'
import { suffix } from './revision.js'
import type { Store } from './store.js'

/** Makes as many pods as a ReplicaSet asks for, and deletes what is too many. */
export function addReplicaSetController(controllers: Controllers, store: Store): void {
  function reconcile(name: string): undefined {
    const set = store.get('ReplicaSet', name)
    const pods = store
      .list('Pod')
      .filter(pod => ownerOf(pod, 'ReplicaSet') === name && pod.metadata.deletionTimestamp === undefined)
    const wanted = set?.spec.replicas ?? 0
    for (let count = pods.length; count < wanted; count++) createPod(store, set!)
    // Those that are not ready go first.
    const surplus = pods.sort((a, b) => Number(a.status?.ready ?? false) - Number(b.status?.ready ?? false))
    for (const pod of surplus.slice(0, Math.max(pods.length - wanted, 0))) store.markDeleted('Pod', pod.metadata.name)
  }
  controllers.add(reconcile, ({ kind, name, before, after }) => {
    if (kind === 'ReplicaSet') return [name]
    const owner = kind === 'Pod' ? ownerOf((after ?? before)!, 'ReplicaSet') : undefined
    return owner === undefined ? [] : [owner]
  })
}

function createPod(store: Store, set: KubeObject): void {
  const { metadata, spec } = set.spec.template
  store.create({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: `${set.metadata.name}-${suffix()}`,
      labels: { ...metadata?.labels },
      annotations: { ...metadata?.annotations },
      ownerReferences: [{ kind: 'ReplicaSet', name: set.metadata.name }],
    },
    spec: structuredClone(spec),
    status: { ready: false },
  })
}
