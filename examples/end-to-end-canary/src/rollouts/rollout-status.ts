import type { KubeObject } from '../cluster/kube-object.js'

/** The reasons of the condition Progressing. */
export type Reason = 'Initializing' | 'InRolling' | 'Finalising' | 'Cancelling' | 'Completed'

/** The texts that the controller writes, by what it is at. */
export const MESSAGE = {
  healthy: 'rollout is healthy',
  ready: 'workload deployment is completed',
  progressing: 'Rollout is in Progressing',
  continuous: 'Workload is continuous release',
  upgrade: (step: number, of: number) => `Rollout is in step(${step}/${of}), and upgrade workload to new version`,
  confirm: (step: number, of: number) =>
    `Rollout is in step(${step}/${of}), and you need manually confirm to enter the next step`,
  wait: (step: number, of: number, seconds: number) =>
    `Rollout is in step(${step}/${of}), and wait duration(${seconds} seconds) to enter the next step`,
  finalising: 'Rollout has been completed and some closing work is being done',
  completed: 'Rollout progressing has been completed',
  cancelling: 'The workload has been rolled back and the rollout process will be cancelled',
  cancelled: 'Rollout progressing has been cancelled',
} as const

export function reasonOf({ status }: KubeObject): Reason | undefined {
  return status?.conditions?.find((one: any) => one.type === 'Progressing')?.reason
}

/** Sets the condition Progressing and, but for `Initializing`, the message that `kubectl get rollouts` shows. */
export function progress(status: any, reason: Reason, message: string, at: Date): void {
  setCondition(status, 'Progressing', reason === 'Completed' ? 'False' : 'True', reason, message, at)
  if (reason !== 'Initializing') status.message = message
}

export function setCondition(
  status: any,
  type: string,
  value: string,
  reason: string,
  message: string,
  at: Date,
): void {
  const all: any[] = status.conditions ?? []
  const present = all.find(one => one.type === type)
  const lasts = present?.status === value && present.reason === reason
  const lastTransitionTime = lasts ? present.lastTransitionTime : at.toISOString()
  status.conditions = [
    ...all.filter(one => one.type !== type),
    { type, status: value, reason, message, lastTransitionTime },
  ]
}

/** Milliseconds since the condition Progressing got its reason. */
export function sinceProgress({ status }: KubeObject, now: Date): number {
  const condition = status.conditions.find((one: any) => one.type === 'Progressing')
  return now.getTime() - Date.parse(condition.lastTransitionTime)
}

/** Moves to a state of a step, here and in the copy that v1beta1 has one level up. */
export function enter(
  status: any,
  state: string,
  at: Date,
  index: number = status.canaryStatus.currentStepIndex,
): void {
  status.canaryStatus.currentStepIndex = index
  status.canaryStatus.currentStepState = state
  status.canaryStatus.lastUpdateTime = at.toISOString()
  status.currentStepIndex = index
  status.currentStepState = state
}
