import { stringify } from 'yaml'
import type { Cluster } from '../cluster/cluster.js'
import type { KubeObject } from '../cluster/kube-object.js'
import { kindOf } from '../manifests/kind-names.js'
import { findObject } from './find-object.js'
import { age, table } from './table.js'

type Column = readonly [title: string, cell: (object: KubeObject) => unknown]

/** The columns between NAME and AGE, as the CRDs and kubectl have them. */
const COLUMNS: Readonly<Record<string, readonly Column[]>> = {
  Rollout: [
    ['STATUS', one => one.status?.phase],
    ['CANARY_STEP', one => one.status?.currentStepIndex],
    ['CANARY_STATE', one => one.status?.currentStepState],
    ['MESSAGE', one => one.status?.message],
  ],
  TrafficRouting: [
    ['STATUS', one => one.status?.phase],
    ['MESSAGE', one => one.status?.message],
  ],
  BatchRelease: [
    ['KIND', one => one.spec.workloadRef.kind],
    ['PHASE', one => one.status?.phase],
    ['BATCH', one => one.status?.canaryStatus?.currentBatch],
    ['BATCH-STATE', one => one.status?.canaryStatus?.batchState],
  ],
  Deployment: [
    ['READY', one => `${one.status?.readyReplicas ?? 0}/${one.spec.replicas ?? 1}`],
    ['UP-TO-DATE', one => one.status?.updatedReplicas ?? 0],
    ['AVAILABLE', one => one.status?.availableReplicas ?? 0],
  ],
  ReplicaSet: [['DESIRED', one => one.spec.replicas]],
  Pod: [
    ['READY', one => `${Number(one.status?.ready ?? false)}/1`],
    [
      'STATUS',
      one => (one.metadata.deletionTimestamp ? 'Terminating' : one.status?.ready ? 'Running' : 'ContainerCreating'),
    ],
    ['RESTARTS', () => 0],
    ['IP', one => one.status?.podIP],
    ['LANE', one => one.metadata.labels?.['alicloud.service.tag']],
  ],
  HTTPRoute: [['HOSTNAMES', one => one.spec.hostnames && JSON.stringify(one.spec.hostnames)]],
  Ingress: [['CLASS', one => one.spec.ingressClassName]],
}

/**
 * Prints objects as `kubectl get` does.
 *
 * @throws Error for a kind or a name that is not there
 */
export function get(cluster: Cluster, type: string, name: string | undefined, output: string | undefined): string {
  const { store, clock } = cluster
  const kind = kindOf(type)
  const objects = name === undefined ? store.list(kind) : [findObject(store, kind, name)]
  if (output === 'yaml' || output === 'json') {
    const whole = name === undefined ? { apiVersion: 'v1', kind: 'List', items: objects } : objects[0]
    return output === 'yaml' ? stringify(whole).trimEnd() : JSON.stringify(whole, null, 4)
  }
  if (output !== undefined) throw new Error(`error: -o is yaml or json, received "${output}"`)
  if (objects.length === 0) return 'No resources found in default namespace.'
  const columns = COLUMNS[kind] ?? []
  const now = clock.date().getTime()
  return table([
    ['NAME', ...columns.map(([title]) => title), 'AGE'],
    ...objects
      .sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1))
      .map(object => [
        object.metadata.name,
        ...columns.map(([, cell]) => String(cell(object) ?? '')),
        age(now - Date.parse(object.metadata.creationTimestamp!)),
      ]),
  ])
}
