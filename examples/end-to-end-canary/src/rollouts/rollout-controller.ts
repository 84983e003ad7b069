import type { Controllers } from '../cluster/controllers.js'
import type { KubeObject } from '../cluster/kube-object.js'
import { revisionOf } from '../cluster/revision.js'
import type { ControllerContext } from './controller-context.js'
import { CANCEL, FINISH, finalise, terminate } from './finalising.js'
import { CANARY_OF, IN_PROGRESS, ROLLOUT_FINALIZER } from './names.js'
import { readRollout } from './rollout-spec.js'
import { enter, MESSAGE, progress, reasonOf, sinceProgress } from './rollout-status.js'
import { holdRoute } from './route-holders.js'
import { playStep, revisions } from './steps.js'

/** Between an image change and the first step, as recorded: the controller waits three seconds, whole ones. */
const INITIALIZING_MS = 2900

/** The Rollout controller: one look, one write, as the real one (v0.6.2) does it. */
export function addRolloutController(controllers: Controllers, context: ControllerContext): void {
  const { store } = context
  controllers.add(
    name => {
      const rollout = store.get('Rollout', name)
      return rollout === undefined ? undefined : reconcile(context, rollout)
    },
    ({ kind, name, before, after }) => {
      if (kind === 'Rollout' || kind === 'BatchRelease') return [name]
      const rollouts = store.list('Rollout')
      if (kind === 'TrafficRouting')
        return rollouts.filter(one => readRollout(one).trafficRouting === name).map(one => one.metadata.name)
      if (kind !== 'Deployment') return []
      const workload = (after ?? before)!.metadata.labels?.[CANARY_OF] ?? name
      return rollouts.filter(one => readRollout(one).workload === workload).map(one => one.metadata.name)
    },
  )
}

function reconcile(context: ControllerContext, rollout: KubeObject): number | undefined {
  const { store, clock } = context
  const { name, finalizers = [], deletionTimestamp } = rollout.metadata
  const write = (change: (status: any) => void): undefined => {
    store.update('Rollout', name, draft => {
      draft.status ??= {}
      change(draft.status)
    })
  }
  if (deletionTimestamp !== undefined) return terminate(context, rollout)
  if (!finalizers.includes(ROLLOUT_FINALIZER)) {
    store.update('Rollout', name, draft => {
      draft.metadata.finalizers = [...finalizers, ROLLOUT_FINALIZER]
    })
    return undefined
  }
  const { status } = rollout
  if (status?.phase === undefined) {
    return write(draft =>
      Object.assign(draft, {
        phase: 'Healthy',
        message: MESSAGE.healthy,
        observedGeneration: 1,
        currentStepIndex: 0,
        currentStepState: '',
      }),
    )
  }
  const spec = readRollout(rollout)
  const deployment = store.get('Deployment', spec.workload)
  if (deployment === undefined) return undefined
  if (status.canaryStatus === undefined) return write(draft => fillHealthy(draft, deployment, spec.steps.length))
  if (status.phase === 'Healthy') {
    if (deployment.metadata.annotations?.[IN_PROGRESS] === undefined) return undefined
    return write(draft => {
      draft.phase = 'Progressing'
      draft.conditions = []
      progress(draft, 'Initializing', MESSAGE.progressing, clock.date())
    })
  }
  switch (reasonOf(rollout)) {
    case 'Initializing':
      return initialize(context, rollout, deployment, write)
    case 'InRolling':
      return playStep(context, rollout, deployment, write)
    case 'Finalising':
      return finalise(context, rollout, FINISH)
    case 'Cancelling':
      return finalise(context, rollout, CANCEL)
    default:
      return write(draft => {
        draft.phase = 'Healthy'
      })
  }
}

/** A Rollout that meets a Deployment at rest looks as if it had just finished. */
function fillHealthy(status: any, deployment: KubeObject, steps: number): void {
  const revision = revisionOf(deployment.spec.template, 'rollout')
  status.message = MESSAGE.ready
  status.canaryStatus = {
    observedWorkloadGeneration: deployment.metadata.generation,
    observedRolloutID: revision,
    stableRevision: revisionOf(deployment.spec.template),
    canaryRevision: revision,
    podTemplateHash: '',
    canaryReplicas: 0,
    canaryReadyReplicas: 0,
    currentStepIndex: steps,
    nextStepIndex: -1,
    currentStepState: 'Completed',
    finalisingStep: '',
  }
  status.currentStepIndex = steps
  status.currentStepState = 'Completed'
}

function initialize(
  context: ControllerContext,
  rollout: KubeObject,
  deployment: KubeObject,
  write: (change: (status: any) => void) => undefined,
): number | undefined {
  const { clock, store } = context
  const spec = readRollout(rollout)
  const { status } = rollout
  const { revision } = revisions(store, deployment)
  const continuous = status.conditions.some((one: any) => one.message === MESSAGE.continuous)
  const begin = (draft: any) => {
    fillHealthy(draft, deployment, spec.steps.length)
    draft.message = status.message
    draft.canaryStatus.stableRevision = revisions(store, deployment).stable
    draft.canaryStatus.nextStepIndex = spec.steps.length > 1 ? 2 : -1
    enter(draft, 'BeforeStepUpgrade', clock.date(), 1)
  }
  if (!continuous && status.canaryStatus.canaryRevision !== revision) return write(begin)
  const missing = INITIALIZING_MS - sinceProgress(rollout, clock.date())
  if (missing > 0) return missing
  if (!holdRoute(context, rollout)) return undefined
  return write(draft => {
    if (continuous) begin(draft)
    progress(draft, 'InRolling', MESSAGE.progressing, clock.date())
  })
}
