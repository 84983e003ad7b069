import type { Cluster } from '../cluster/cluster.js'
import type { KubeObject } from '../cluster/kube-object.js'
import { resourceType } from '../manifests/kind-names.js'

/** Kinds whose controller ends them. */
const ENDED_BY_CONTROLLER = new Set(['Rollout', 'TrafficRouting', 'BatchRelease', 'Pod'])

/** Deletes objects as `kubectl delete` does. */
export function deleteObjects({ store }: Cluster, objects: readonly KubeObject[]): string[] {
  return objects.map(({ apiVersion, kind, metadata }) => {
    if (ENDED_BY_CONTROLLER.has(kind)) store.markDeleted(kind, metadata.name)
    else store.remove(kind, metadata.name)
    return `${resourceType({ apiVersion, kind })} "${metadata.name}" deleted`
  })
}
