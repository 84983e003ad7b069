import { GateError } from '../gate-error.js'
import type { Cluster } from './cluster.js'
import { type RolloutState, readRollout } from './rollout.js'

/** How long an approval may take. */
export interface ApproveTimes {
  /** Time between two reads of the object. */
  readonly lookMs: number
  /** The controller must have acted within this. */
  readonly takenMs: number
  readonly sleep: (ms: number) => Promise<void>
  readonly now: () => number
}

const ATTEMPTS = 5
/** A write of the controller may set the state back for a moment; after so many reads in a row the approval is lost. */
const LOST_AFTER_READS = 5

/**
 * Approves one pause as `kubectl-kruise rollout approve` does: sets the step state to `StepReady`. It approves only the
 * pause that was judged. It sends the resourceVersion, so that a write of the controller in between makes the patch fail,
 * and reads the object until the controller has acted, because the controller may overwrite the patch.
 *
 * @param judged - the state that was judged
 * @returns `false`, with nothing changed, when the Rollout is not in that pause any more
 * @throws GateError `LANEWAY_GATE_NOT_TAKEN`, `LANEWAY_GATE_CLUSTER`
 */
export async function approve(cluster: Cluster, judged: RolloutState, times: ApproveTimes): Promise<boolean> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const state = readRollout(await cluster.rollout(judged.name))
    // The answer to the patch was lost, or somebody else approved too: the pause is over, which is what was wanted.
    if (attempt > 0 && state.stage !== 'cancelled' && (state.pause !== judged.pause || state.stage !== 'paused'))
      return true
    if (state.pause !== judged.pause || state.stage !== 'paused') return false
    const { resourceVersion } = state.object.metadata
    const patched = await cluster.setStepState(judged.name, resourceVersion, state.field, 'StepReady')
    if (patched && (await isTaken(cluster, judged, times))) return true
    if (!patched) await times.sleep(times.lookMs)
  }
  throw new GateError('LANEWAY_GATE_NOT_TAKEN', `the approval of Rollout ${judged.name} was lost ${ATTEMPTS} times`)
}

/** @returns `false` when the patch was overwritten */
async function isTaken(cluster: Cluster, judged: RolloutState, times: ApproveTimes): Promise<boolean> {
  const end = times.now() + times.takenMs
  let paused = 0
  for (;;) {
    const state = readRollout(await cluster.rollout(judged.name))
    const step = state.object.status?.[state.field]?.currentStepState
    if (state.pause !== judged.pause || (step !== 'StepPaused' && step !== 'StepReady')) return true
    // Only reads in a row count.
    paused = step === 'StepPaused' ? paused + 1 : 0
    if (paused >= LOST_AFTER_READS) return false
    if (times.now() >= end) {
      throw new GateError(
        'LANEWAY_GATE_NOT_TAKEN',
        `the controller has not acted on the approval of Rollout ${judged.name} within ${times.takenMs / 1_000} s: ${state.summary}`,
      )
    }
    await times.sleep(times.lookMs)
  }
}
