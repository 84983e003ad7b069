import type { Cluster } from '../cluster/cluster.js'
import { pluralOf, resourceName } from '../manifests/kind-names.js'
import { findObject } from './find-object.js'

/**
 * Approves a step as `kubectl-kruise rollout approve` does: it looks at the step's state and at nothing else, so it also
 * accepts a Rollout that was rolled back and is at rest, to no effect.
 */
export function approve({ store }: Cluster, name: string): string[] {
  const rollout = findObject(store, 'Rollout', name)
  if (rollout.status?.canaryStatus?.currentStepState !== 'StepPaused') {
    throw new Error(
      `error: ${pluralOf('Rollout')} "${name}" does not allow to approve, because current canary state is not 'StepPaused'`,
    )
  }
  store.update('Rollout', name, draft => {
    draft.status.canaryStatus.currentStepState = 'StepReady'
    draft.status.currentStepState = 'StepReady'
  })
  return [`${resourceName(rollout)} approved`]
}
