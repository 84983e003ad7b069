import type { KubeObject } from '../cluster/kube-object.js'
import type { ControllerContext } from './controller-context.js'
import { holderOf } from './names.js'
import { readRollout } from './rollout-spec.js'

/** Holds the TrafficRouting of a Rollout in progress. @returns whether its routes are on their way */
export function holdRoute({ store }: ControllerContext, rollout: KubeObject): boolean {
  const { trafficRouting } = readRollout(rollout)
  const routing = trafficRouting === undefined ? undefined : store.get('TrafficRouting', trafficRouting)
  if (routing === undefined) return trafficRouting === undefined
  const holder = holderOf(rollout.metadata.name)
  store.update('TrafficRouting', routing.metadata.name, draft => {
    const finalizers = draft.metadata.finalizers ?? []
    if (!finalizers.includes(holder)) draft.metadata.finalizers = [...finalizers, holder]
  })
  const { metadata, status } = store.get('TrafficRouting', routing.metadata.name)!
  return status?.phase === 'Progressing' && metadata.finalizers?.includes(holder) === true
}

/** Lets go of it: the routes end with the last holder. */
export function releaseRoute({ store }: ControllerContext, rollout: KubeObject): void {
  const { trafficRouting } = readRollout(rollout)
  if (trafficRouting === undefined) return
  store.update('TrafficRouting', trafficRouting, draft => {
    draft.metadata.finalizers = draft.metadata.finalizers?.filter(one => one !== holderOf(rollout.metadata.name)) ?? []
  })
}
