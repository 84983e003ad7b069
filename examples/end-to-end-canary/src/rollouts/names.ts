// The names by which OpenKruise Rollouts marks objects.
export const IN_PROGRESS = 'rollouts.kruise.io/in-progressing'
export const STABLE_REVISION = 'rollouts.kruise.io/stable-revision'
export const WORKLOAD_TYPE = 'rollouts.kruise.io/workload-type'
export const CANARY_OF = 'rollouts.kruise.io/canary-deployment'
export const CONTROL_INFO = 'batchrelease.rollouts.kruise.io/control-info'
export const ROLLOUT_FINALIZER = 'rollouts.kruise.io/rollout'
export const ROUTING_FINALIZER = 'rollouts.kruise.io/trafficrouting'
export const ORIGINAL_SPEC = 'rollouts.kruise.io/original-spec-configuration'

/** Held on a TrafficRouting by a Rollout in progress. */
export const holderOf = (rollout: string) => `progressing.rollouts.kruise.io/${rollout}`
