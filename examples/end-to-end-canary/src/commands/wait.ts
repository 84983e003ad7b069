import type { Cluster } from '../cluster/cluster.js'
import { isComplete } from '../cluster/deployment-controller.js'
import type { KubeObject } from '../cluster/kube-object.js'
import { revisionOf } from '../cluster/revision.js'
import { resourceName } from '../manifests/kind-names.js'
import { IN_PROGRESS } from '../rollouts/names.js'
import { readRollout } from '../rollouts/rollout-spec.js'
import { findObject } from './find-object.js'

/** How long it waits, in ms of real time: processes start in it. */
const LIMIT_MS = 120_000

/**
 * Waits until Deployments are available as they are asked for, and until Rollouts wait for an approval or are done.
 *
 * @throws Error when that takes too long
 */
export async function wait(
  cluster: Cluster,
  kind: string,
  name: string | undefined,
  limitMs: number = LIMIT_MS,
): Promise<string[]> {
  const { store } = cluster
  if (kind !== 'Deployment' && kind !== 'Rollout') throw new Error('error: wait for deployments or rollouts')
  if (name !== undefined) findObject(store, kind, name)
  const met = (object: KubeObject) =>
    kind === 'Deployment' ? object.spec.paused || isComplete(object) : atRest(cluster, object)
  const named = () => store.list(kind).filter(one => name === undefined || one.metadata.name === name)
  const end = Date.now() + limitMs
  while (!named().every(met)) {
    if (Date.now() > end) throw new Error(`error: timed out waiting for the condition on ${name ?? `all ${kind}s`}`)
    await new Promise(resolve => setTimeout(resolve, 10))
  }
  return named().map(one => `${resourceName(one)} condition met`)
}

/** Neither at work nor about to be. */
function atRest({ store }: Cluster, rollout: KubeObject): boolean {
  const { status } = rollout
  const deployment = store.get('Deployment', readRollout(rollout).workload)
  if (status?.phase === 'Progressing') {
    const seen = deployment && revisionOf(deployment.spec.template, 'rollout') === status.canaryStatus.canaryRevision
    return seen === true && status.currentStepState === 'StepPaused' && /manually confirm/.test(status.message)
  }
  const begins = deployment?.metadata.annotations?.[IN_PROGRESS] !== undefined
  return status?.phase === 'Healthy' && status.canaryStatus !== undefined && !begins
}
