import type { Cluster } from '../cluster/cluster.js'
import { replicaSetsOf } from '../cluster/deployment-controller.js'
import { revisionOf } from '../cluster/revision.js'
import { resourceName } from '../manifests/kind-names.js'
import { admitDeployment } from '../rollouts/admission.js'
import { STABLE_REVISION } from '../rollouts/names.js'
import { readRollout } from '../rollouts/rollout-spec.js'
import { findObject } from './find-object.js'

/** Sets the Deployment of a Rollout back to the template that it ran before, as `kubectl-kruise rollout undo` does. */
export function undo({ store }: Cluster, name: string): string[] {
  const rollout = findObject(store, 'Rollout', name)
  const deployment = findObject(store, 'Deployment', readRollout(rollout).workload)
  const { metadata, spec } = deployment
  const current = revisionOf(spec.template)
  const sets = replicaSetsOf(store, metadata.name)
  const stable = sets.find(one => one.metadata.name === `${metadata.name}-${metadata.labels?.[STABLE_REVISION]}`)
  const previous =
    stable !== undefined && spec.paused
      ? stable
      : sets
          .filter(one => one.metadata.name !== `${metadata.name}-${current}`)
          .sort((a, b) => b.spec.revision - a.spec.revision)[0]
  if (previous === undefined) throw new Error(`error: no rollout history found for deployment "${metadata.name}"`)
  const template = structuredClone(previous.spec.template)
  delete template.metadata.labels['pod-template-hash']
  store.update('Deployment', metadata.name, draft => {
    draft.spec.template = template
    admitDeployment(store, deployment, draft)
  })
  return [`${resourceName(rollout)} rolled back`]
}
