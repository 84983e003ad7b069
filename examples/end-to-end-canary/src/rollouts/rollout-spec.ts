import type { KubeObject } from '../cluster/kube-object.js'
import { share } from '../cluster/rolling-update.js'

/** What requests get a header, or how many. */
export interface RouteStrategy {
  readonly matches?: readonly RouteMatch[]
  /** Percent of the requests. */
  readonly weight?: number
  readonly requestHeaderModifier?: { readonly set?: readonly { readonly name: string; readonly value: string }[] }
}

export interface RouteMatch {
  readonly path?: { readonly type?: string; readonly value?: string }
  readonly headers?: readonly { readonly type?: string; readonly name: string; readonly value: string }[]
  readonly queryParams?: readonly { readonly type?: string; readonly name: string; readonly value: string }[]
}

/** One entry of `trafficRoutings` or `objectRef`. */
export interface RouteTarget {
  readonly service: string
  readonly gracePeriodSeconds?: number
  readonly ingress?: { readonly classType?: string; readonly name: string }
  readonly gateway?: { readonly httpRouteName: string }
  readonly customNetworkRefs?: readonly { readonly kind: string; readonly name: string }[]
}

/** One step of a release. */
export interface Step {
  readonly replicas: number | string
  readonly strategy: RouteStrategy | undefined
  /** Seconds; `undefined` waits for an approval. */
  readonly pauseSeconds: number | undefined
}

/** The parts of a Rollout that are played, from either version of the API. */
export interface RolloutSpec {
  readonly workload: string
  readonly steps: readonly Step[]
  readonly patch: { readonly labels?: Record<string, string>; readonly annotations?: Record<string, string> }
  /** The name of the TrafficRouting: the controller reads the annotation and nothing else. */
  readonly trafficRouting: string | undefined
  /** The Rollout's own routes. */
  readonly target: RouteTarget | undefined
}

/** @throws Error for what is not played */
export function readRollout({ apiVersion, metadata, spec }: KubeObject): RolloutSpec {
  const annotations = metadata.annotations ?? {}
  const canary = spec.strategy?.canary
  if (canary === undefined) throw new Error(`Rollout ${metadata.name}: only the canary strategy is played`)
  const old = apiVersion.endsWith('/v1alpha1')
  const extra = old
    ? annotations['rollouts.kruise.io/rolling-style'] !== 'partition'
    : canary.enableExtraWorkloadForCanary === true
  if (!extra) throw new Error(`Rollout ${metadata.name}: only the style with an extra Deployment is played`)
  return {
    workload: (old ? spec.objectRef : spec).workloadRef.name,
    steps: canary.steps.map((step: any): Step => {
      const traffic = old ? step.weight : step.traffic
      const weight = traffic === undefined ? undefined : share(traffic, 100, Math.round)
      return {
        replicas: step.replicas ?? `${weight}%`,
        strategy: weight === undefined && step.matches === undefined ? undefined : { ...step, weight },
        pauseSeconds: step.pause?.duration,
      }
    }),
    patch: canary.patchPodTemplateMetadata ?? {},
    trafficRouting: annotations['rollouts.kruise.io/trafficrouting'],
    target: canary.trafficRoutings?.[0],
  }
}

/** Pods of a step: a share of them is rounded up, and never more than there are. */
export function replicasOf({ replicas }: Step, wanted: number): number {
  return Math.min(share(replicas, wanted, Math.ceil), wanted)
}
