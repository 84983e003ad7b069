import type { KubeObject } from '../cluster/kube-object.js'
import { releaseBatch, resumeWorkload } from './batch-release.js'
import type { ControllerContext } from './controller-context.js'
import { IN_PROGRESS } from './names.js'
import { restoreOwnRoute } from './own-routes.js'
import { readRollout } from './rollout-spec.js'
import { MESSAGE, progress, setCondition } from './rollout-status.js'
import { releaseRoute } from './route-holders.js'

interface Ending {
  readonly order: readonly string[]
  readonly policy: 'WaitResume' | 'Immediate'
  readonly succeeded: boolean
  readonly message: string
}

/** After the last approval: routes first, then the base rolls, the gray pods go last. */
export const FINISH: Ending = {
  order: [
    'RestoreStableService',
    'FinalisingStepRouteTrafficToStable',
    'RemoveCanaryService',
    'ResumeWorkload',
    'ReleaseWorkloadControl',
  ],
  policy: 'WaitResume',
  succeeded: true,
  message: MESSAGE.completed,
}

/** After a revert: nothing waits, the gray pods go at once. */
export const CANCEL: Ending = {
  order: [
    'FinalisingStepRouteTrafficToStable',
    'ResumeWorkload',
    'ReleaseWorkloadControl',
    'RestoreStableService',
    'RemoveCanaryService',
  ],
  policy: 'Immediate',
  succeeded: false,
  message: MESSAGE.cancelled,
}

/** One look at a release that ends. @returns ms until the next one, `undefined` when a change will tell */
export function finalise(context: ControllerContext, rollout: KubeObject, ending: Ending): number | undefined {
  const { store, clock } = context
  const { name } = rollout.metadata
  const { workload } = readRollout(rollout)
  const step: string = rollout.status.canaryStatus.finalisingStep
  const at = ending.order.indexOf(step)
  if (at === -1) {
    releaseRoute(context, rollout)
    store.update('Deployment', workload, draft => {
      delete draft.metadata.annotations?.[IN_PROGRESS]
    })
  } else {
    const wait = act(context, rollout, step, ending.policy)
    if (wait !== 0) return wait
  }
  const next = ending.order[at + 1] ?? 'END'
  store.update('Rollout', name, draft => {
    draft.status.canaryStatus.finalisingStep = next
    draft.status.canaryStatus.finalisingSince = Math.round(clock.now())
    draft.status.canaryStatus.observedWorkloadGeneration = store.get('Deployment', workload)?.metadata.generation
    if (next !== 'END') return
    progress(draft.status, 'Completed', ending.message, clock.date())
    setCondition(draft.status, 'Succeeded', ending.succeeded ? 'True' : 'False', '', '', clock.date())
  })
  return undefined
}

/** @returns 0 when the step is done */
function act(
  context: ControllerContext,
  rollout: KubeObject,
  step: string,
  policy: 'WaitResume' | 'Immediate',
): number | undefined {
  const { clock } = context
  const { workload, target } = readRollout(rollout)
  const inStep = clock.now() - rollout.status.canaryStatus.finalisingSince
  switch (step) {
    case 'ResumeWorkload':
      return resumeWorkload(context, rollout.metadata.name, policy) ? 0 : undefined
    case 'ReleaseWorkloadControl':
      return releaseBatch(context, rollout.metadata.name, workload) ? 0 : undefined
    default: {
      if (target === undefined) return 0
      if (step === 'FinalisingStepRouteTrafficToStable') restoreOwnRoute(context, target)
      return Math.max(OWN_ROUTES_MS - inStep, 0)
    }
  }
}

/** What each of the steps takes that undo routes of the Rollout's own. */
const OWN_ROUTES_MS = 6000

/** A Rollout that is deleted in the middle: the lane goes, and the base rolls to the new version unsupervised. */
export function terminate(context: ControllerContext, rollout: KubeObject): number | undefined {
  const { store, clock } = context
  const { name, deletionTimestamp } = rollout.metadata
  const { workload, target } = readRollout(rollout)
  if (store.get('BatchRelease', name) !== undefined) {
    store.update('Rollout', name, draft => {
      draft.status.phase = 'Terminating'
      setCondition(draft.status, 'Terminating', 'True', 'InTerminating', 'Rollout is in terminating', clock.date())
    })
    const missing = TERMINATING_MS - (clock.date().getTime() - Date.parse(deletionTimestamp!))
    if (missing > 0) return missing
    releaseRoute(context, rollout)
    if (target !== undefined) restoreOwnRoute(context, target)
    if (!resumeWorkload(context, name, 'Immediate') || !releaseBatch(context, name, workload)) return undefined
  }
  releaseRoute(context, rollout)
  store.update('Deployment', workload, draft => {
    delete draft.metadata.annotations?.[IN_PROGRESS]
    draft.spec.paused = false
  })
  store.remove('Rollout', name)
  return undefined
}

/** From the deletion of a Rollout to that of its gray pods, as recorded. */
const TERMINATING_MS = 2200
