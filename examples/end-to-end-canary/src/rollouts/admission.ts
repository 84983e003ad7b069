import { isDeepStrictEqual } from 'node:util'
import type { KubeObject } from '../cluster/kube-object.js'
import { revisionOf } from '../cluster/revision.js'
import type { Store } from '../cluster/store.js'
import { IN_PROGRESS, STABLE_REVISION, WORKLOAD_TYPE } from './names.js'
import { readRollout } from './rollout-spec.js'

/** The Rollout that watches over a Deployment. */
export function rolloutOf(store: Store, deployment: string): KubeObject | undefined {
  return store.list('Rollout').find(one => readRollout(one).workload === deployment)
}

/**
 * What the webhook does to a Deployment whose pod template changes: pauses it, so that its Rollout can take the change
 * from there.
 */
export function admitDeployment(store: Store, before: KubeObject, after: KubeObject): void {
  const { name, labels = {} } = after.metadata
  const rollout = rolloutOf(store, name)
  if (rollout === undefined || labels[WORKLOAD_TYPE] === undefined || (after.spec.replicas ?? 1) === 0) return
  if (isDeepStrictEqual(before.spec.template, after.spec.template)) return
  if (rollout.status?.phase !== 'Healthy') return
  after.spec.paused = true
  after.metadata.labels = { ...labels, [STABLE_REVISION]: revisionOf(before.spec.template) }
  after.metadata.annotations = {
    ...after.metadata.annotations,
    [IN_PROGRESS]: JSON.stringify({ rolloutName: rollout.metadata.name }),
  }
}

/** @throws Error as the webhook refuses a second Rollout for one Deployment */
export function admitRollout(store: Store, rollout: KubeObject): void {
  const { workload } = readRollout(rollout)
  const other = rolloutOf(store, workload)
  if (other === undefined || other.metadata.name === rollout.metadata.name) return
  const namespace = rollout.metadata.namespace ?? 'default'
  throw new Error(
    `admission webhook "vrollout.kb.io" denied the request: Conflict Checker: Invalid value: "${rollout.metadata.name}": ` +
      `This rollout conflict with Rollout(${namespace}/${other.metadata.name}), one workload only have less than one Rollout`,
  )
}
