import { GateError } from '../gate-error.js'
import type { ApproveTimes } from './approve.js'
import type { Cluster, WorkloadObject } from './cluster.js'
import { type RolloutState, readRollout } from './rollout.js'

/** A Deployment with the template to restore. */
export interface StableTemplate {
  readonly state: RolloutState
  readonly deployment: WorkloadObject
  readonly template: unknown
}

/**
 * Field managers of controllers that would undo a rollback, at once or hours later, when they see a difference to their
 * repository.
 */
const GITOPS =
  /argo-?cd|gitops|kustomize-controller|helm-controller|flux|fleet-?agent|kapp-controller|config-?sync|configmanagement|pulumi/i
const HASH = 'pod-template-hash'
const ATTEMPTS = 5

/**
 * Finds what the Deployment of a Rollout ran before the release. The gate calls this for all Rollouts before it changes the
 * first one, because a lane that is rolled back halfway is worse than one on hold.
 *
 * @throws GateError `LANEWAY_GATE_ROLLBACK_REFUSED` for another kind of workload, one that GitOps manages, or one without
 * a ReplicaSet of the stable revision
 */
export async function findStableTemplate(
  cluster: Cluster,
  state: RolloutState,
  gitopsManagers: readonly string[],
): Promise<StableTemplate> {
  const refuse = (why: string) => new GateError('LANEWAY_GATE_ROLLBACK_REFUSED', `Rollout ${state.name}: ${why}`)
  const { kind, name } = state.object.spec?.workloadRef ?? {}
  if (kind !== 'Deployment' || name === undefined)
    throw refuse(`its workload is a ${kind}, only Deployments can be rolled back`)
  const deployment = await cluster.deployment(name)
  const managers = (deployment.metadata.managedFields ?? []).map(field => field.manager ?? '')
  const keeper = managers.find(manager => GITOPS.test(manager) || gitopsManagers.includes(manager))
  if (keeper !== undefined) {
    throw refuse(
      `Deployment ${name} is managed by ${keeper}, which would undo a rollback; revert the change in its repository`,
    )
  }
  if (state.stableRevision === '') throw refuse('its status names no stable revision')
  const sets = await cluster.replicaSets(`${HASH}=${state.stableRevision}`)
  const stable = sets.find(set => set.metadata.ownerReferences?.some(owner => owner.uid === deployment.metadata.uid))
  if (stable === undefined)
    throw refuse(`Deployment ${name} has no ReplicaSet of the stable revision ${state.stableRevision}`)
  return { state, deployment, template: withoutHash(stable) }
}

/** The label belongs to the ReplicaSet, and not to the template of a Deployment. */
function withoutHash(set: WorkloadObject): unknown {
  const template = structuredClone(set.spec.template)
  delete template.metadata?.labels?.[HASH]
  return template
}

/**
 * Restores the stable template and waits until the controller has noticed.
 *
 * @throws GateError `LANEWAY_GATE_NOT_TAKEN`, `LANEWAY_GATE_CLUSTER`
 */
export async function rollBack(
  cluster: Cluster,
  { state, deployment, template }: StableTemplate,
  times: ApproveTimes,
): Promise<void> {
  const { name } = deployment.metadata
  let version = deployment.metadata.resourceVersion
  let done = false
  for (let attempt = 0; attempt < ATTEMPTS && !done; attempt++) {
    done = await cluster.setTemplate(name, version, template)
    // Controllers write to the Deployment at any time; the template to restore stays the same.
    if (!done) version = (await cluster.deployment(name)).metadata.resourceVersion
  }
  if (!done)
    throw new GateError(
      'LANEWAY_GATE_NOT_TAKEN',
      `Deployment ${name} changed during each of ${ATTEMPTS} attempts to roll it back`,
    )
  const end = times.now() + times.takenMs
  for (;;) {
    const now = readRollout(await cluster.rollout(state.name))
    if (now.stage === 'cancelled') return
    if (times.now() >= end) {
      throw new GateError(
        'LANEWAY_GATE_NOT_TAKEN',
        `the controller has not noticed the rollback of Deployment ${name} within ${times.takenMs / 1_000} s: ${now.summary}`,
      )
    }
    await times.sleep(times.lookMs)
  }
}
