/** The part of a `rollouts.kruise.io/v1beta1` Rollout that the gate reads. */
export interface RolloutObject {
  readonly metadata: {
    readonly name: string
    readonly namespace: string
    readonly uid: string
    readonly resourceVersion: string
    readonly generation?: number
    readonly deletionTimestamp?: string
  }
  readonly spec?: {
    readonly disabled?: boolean
    readonly workloadRef?: { readonly apiVersion?: string; readonly kind?: string; readonly name?: string }
    readonly strategy?: { readonly paused?: boolean }
  }
  readonly status?: {
    readonly phase?: string
    readonly message?: string
    readonly observedGeneration?: number
    readonly conditions?: readonly { readonly type: string; readonly status: string; readonly reason?: string }[]
    readonly canaryStatus?: StepStatus
    readonly blueGreenStatus?: StepStatus
  }
}

interface StepStatus {
  readonly currentStepIndex?: number
  readonly currentStepState?: string
  readonly stableRevision?: string
  readonly canaryRevision?: string
  readonly updatedRevision?: string
  readonly lastUpdateTime?: string
}

/** The state of a Rollout. */
export interface RolloutState {
  readonly name: string
  readonly object: RolloutObject
  /** The field of the status that holds the step; an approval patches it. */
  readonly field: 'canaryStatus' | 'blueGreenStatus'
  /** Identifies one pause of one release: the gate approves only the pause that it judged. */
  readonly pause: string
  /** When the pause began, in milliseconds since the epoch; `undefined` when the server does not say. */
  readonly since: number | undefined
  readonly stableRevision: string
  /**
   * - `paused`: waits for a person, so it may be approved
   * - `working`: in a release, not paused
   * - `cancelled`: is being rolled back, or was
   * - `done`: the last release went through, or there was none
   */
  readonly stage: 'paused' | 'working' | 'cancelled' | 'done'
  /** Phase, step and message, for people. */
  readonly summary: string
}

/** The message of a pause without a duration. A pause with a duration ends by itself and needs no approval. */
const ASKS_FOR_A_PERSON = /manually confirm/

/**
 * Reads the state of a Rollout. `StepPaused` alone is not enough: the step stays so after a rollback, and during the first
 * seconds of a release of a third version. Phase, condition and message together say that the controller waits for a
 * person.
 */
export function readRollout(object: RolloutObject): RolloutState {
  const { metadata, spec, status } = object
  const field =
    status?.canaryStatus === undefined && status?.blueGreenStatus !== undefined ? 'blueGreenStatus' : 'canaryStatus'
  const step = status?.[field] ?? {}
  const reason = (type: string) => status?.conditions?.find(one => one.type === type)
  const progressing = reason('Progressing')
  const succeeded = reason('Succeeded')
  const since = Date.parse(step.lastUpdateTime ?? '')
  const current = status?.observedGeneration === undefined || status.observedGeneration === metadata.generation
  const asks =
    status?.phase === 'Progressing' &&
    step.currentStepState === 'StepPaused' &&
    ASKS_FOR_A_PERSON.test(status.message ?? '') &&
    (progressing === undefined || (progressing.status === 'True' && progressing.reason === 'InRolling')) &&
    current &&
    spec?.disabled !== true &&
    metadata.deletionTimestamp === undefined
  const cancelled =
    progressing?.reason === 'Cancelling' || (progressing?.reason === 'Completed' && succeeded?.status === 'False')
  return {
    name: metadata.name,
    object,
    field,
    pause: [metadata.uid, metadata.generation, step.canaryRevision ?? step.updatedRevision, step.currentStepIndex].join(
      '/',
    ),
    since: Number.isNaN(since) ? undefined : since,
    stableRevision: step.stableRevision ?? '',
    stage: asks ? 'paused' : cancelled ? 'cancelled' : status?.phase === 'Healthy' ? 'done' : 'working',
    summary: `${status?.phase ?? 'no phase'}, step ${step.currentStepIndex ?? '?'} ${step.currentStepState ?? ''}: ${status?.message ?? ''}`,
  }
}
