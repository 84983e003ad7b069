import type { KubeObject } from '../cluster/kube-object.js'
import { revisionOf } from '../cluster/revision.js'
import type { Store } from '../cluster/store.js'
import { extraDeploymentOf, requireBatch } from './batch-release.js'
import type { ControllerContext } from './controller-context.js'
import { STABLE_REVISION } from './names.js'
import { writeOwnRoute } from './own-routes.js'
import { type RolloutSpec, readRollout } from './rollout-spec.js'
import { enter, MESSAGE, progress } from './rollout-status.js'

type Write = (change: (status: any) => void) => undefined

/** What a Deployment runs as stable, and what it was changed to. */
export function revisions(store: Store, deployment: KubeObject): { stable: string; revision: string; isBack: boolean } {
  const { metadata, spec } = deployment
  const stable = metadata.labels?.[STABLE_REVISION] ?? revisionOf(spec.template)
  const known = store.get('ReplicaSet', `${metadata.name}-${stable}`) !== undefined
  return {
    stable,
    revision: revisionOf(spec.template, 'rollout'),
    isBack: known && revisionOf(spec.template) === stable,
  }
}

/** One look at a release under way. */
export function playStep(
  context: ControllerContext,
  rollout: KubeObject,
  deployment: KubeObject,
  write: Write,
): number | undefined {
  const { store, clock, journal } = context
  const { name } = rollout.metadata
  const { canaryStatus } = rollout.status
  const { revision, isBack } = revisions(store, deployment)
  if (isBack) {
    journal.event(`Rollout/${name}`, 'workload has been rollback, then rollout is canceled')
    return write(draft => {
      draft.canaryStatus.canaryRevision = revision
      draft.canaryStatus.finalisingStep = ''
      progress(draft, 'Cancelling', MESSAGE.cancelling, clock.date())
    })
  }
  if (canaryStatus.canaryRevision !== revision) {
    journal.event(`Rollout/${name}`, 'workload continuous publishing canaryRevision, then restart publishing')
    store.markDeleted('BatchRelease', name)
    return write(draft => {
      progress(draft, 'Initializing', MESSAGE.continuous, clock.date())
    })
  }
  return playState(context, rollout, deployment, write)
}

function playState(
  context: ControllerContext,
  rollout: KubeObject,
  deployment: KubeObject,
  write: Write,
): number | undefined {
  const { clock } = context
  const spec = readRollout(rollout)
  const { canaryStatus } = rollout.status
  const index: number = canaryStatus.currentStepIndex
  const step = spec.steps[index - 1]!
  const inState = clock.date().getTime() - Date.parse(canaryStatus.lastUpdateTime)
  const go = (state: string) => write(draft => enter(draft, state, clock.date()))
  switch (canaryStatus.currentStepState) {
    case 'BeforeStepUpgrade': {
      // With routes of its own the stable Service first gets a selector of its revision.
      const wait = spec.target !== undefined && index === 1 ? 3000 - inState : 0
      return wait > 0 ? wait : go('StepUpgrade')
    }
    case 'StepUpgrade':
      return upgrade(context, rollout, deployment, spec, write)
    case 'StepTrafficRouting': {
      if (spec.target === undefined) return go('StepMetricsAnalysis')
      const wait = writeOwnRoute(context, spec.target, step.strategy, inState, index === 1)
      return wait > 0 ? wait : go('StepMetricsAnalysis')
    }
    case 'StepMetricsAnalysis':
      return go('StepPaused')
    case 'StepPaused':
      return pause(rollout, spec, inState, write, go)
    case 'StepReady': {
      if (index === spec.steps.length) return go('Completed')
      return write(draft => {
        draft.canaryStatus.nextStepIndex = index + 2 <= spec.steps.length ? index + 2 : -1
        enter(draft, 'BeforeStepUpgrade', clock.date(), index + 1)
      })
    }
    default:
      return write(draft => progress(draft, 'Finalising', MESSAGE.finalising, clock.date()))
  }
}

function upgrade(
  context: ControllerContext,
  rollout: KubeObject,
  deployment: KubeObject,
  spec: RolloutSpec,
  write: Write,
): undefined {
  const { store, clock, journal } = context
  const { name } = rollout.metadata
  const { currentStepIndex: index, observedRolloutID } = rollout.status.canaryStatus
  const message = MESSAGE.upgrade(index, spec.steps.length)
  const release = requireBatch(context, rollout, deployment, spec)
  const extra = extraDeploymentOf(store, spec.workload)
  const batch = release.status?.canaryStatus
  const ready = batch?.batchState === 'Ready' && batch.currentBatch === index - 1
  if (ready) journal.event(`Rollout/${name}`, `upgrade step(${index}) canary pods with new versions done`)
  write(draft => {
    progress(draft, 'InRolling', message, clock.date())
    if (release.status === undefined) return
    const { canaryStatus } = draft
    canaryStatus.message = `BatchRelease is at state ${batch?.batchState ?? ''}, rollout-id ${observedRolloutID}, step ${index}`
    canaryStatus.observedWorkloadGeneration = deployment.metadata.generation
    canaryStatus.canaryReplicas = extra?.status?.replicas ?? 0
    canaryStatus.canaryReadyReplicas = extra?.status?.availableReplicas ?? 0
    if (extra !== undefined) canaryStatus.podTemplateHash = revisionOf(extra.spec.template)
    if (ready) enter(draft, 'StepTrafficRouting', clock.date())
  })
}

function pause(
  rollout: KubeObject,
  spec: RolloutSpec,
  inState: number,
  write: Write,
  go: (state: string) => undefined,
): number | undefined {
  const index: number = rollout.status.canaryStatus.currentStepIndex
  const step = spec.steps[index - 1]!
  // The last step with all replicas has nothing left to ask.
  if (index === spec.steps.length && step.replicas === '100%') return go('StepReady')
  if (step.pauseSeconds === undefined) {
    return write(draft => {
      draft.message = MESSAGE.confirm(index, spec.steps.length)
    })
  }
  const missing = step.pauseSeconds * 1000 - inState
  if (missing <= 0) return go('StepReady')
  write(draft => {
    draft.message = MESSAGE.wait(index, spec.steps.length, step.pauseSeconds!)
  })
  return missing
}
