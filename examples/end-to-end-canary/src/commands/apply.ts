import { isDeepStrictEqual } from 'node:util'
import type { Cluster } from '../cluster/cluster.js'
import type { KubeObject } from '../cluster/kube-object.js'
import { resourceName } from '../manifests/kind-names.js'
import { serviceOf } from '../play/pod-processes.js'
import { admitDeployment, admitRollout } from '../rollouts/admission.js'
import { readRollout } from '../rollouts/rollout-spec.js'
import { createRoute } from '../rollouts/route.js'
import { wrap } from './table.js'

const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration'

/**
 * Applies objects as `kubectl apply` does, but for those that have no part in the play: nothing would run for them.
 *
 * @returns its lines: `deployment.apps/spring-cloud-a created`, and what was left out
 * @throws Error when something is refused, or is not played
 */
export function apply(cluster: Cluster, objects: readonly KubeObject[]): string[] {
  const played = objects.filter(hasPart)
  for (const object of played) assertPlayed(cluster, object)
  const lines = played.map(object => `${resourceName(object)} ${applyOne(cluster, object)}`)
  return [...lines, ...leftOut(objects.filter(object => !hasPart(object)))]
}

const PLAYED = new Set(['Rollout', 'TrafficRouting', 'HTTPRoute', 'Ingress'])

/** Whether an object has a part in the play: controllers act on it, or it has processes. */
export function hasPart({ kind, spec }: KubeObject): boolean {
  return PLAYED.has(kind) || (kind === 'Deployment' && serviceOf(spec.template) !== undefined)
}

function leftOut(objects: readonly KubeObject[]): string[] {
  if (objects.length === 0) return []
  const kinds = new Map<string, string[]>()
  for (const { kind, metadata } of objects) kinds.set(kind, [...(kinds.get(kind) ?? []), metadata.name])
  const parts = [...kinds].map(([kind, names]) => {
    const counted = `${names.length} ${kind}${names.length === 1 ? '' : /s$/.test(kind) ? 'es' : 's'}`
    return kind === 'Deployment' ? `${counted} (${names.join(', ')})` : counted
  })
  return wrap(`not played, so not created: ${parts.join(', ')}`)
}

function assertPlayed({ store }: Cluster, object: KubeObject): void {
  if (object.kind === 'TrafficRouting') createRoute(store, object.spec.objectRef[0])
  if (object.kind !== 'Rollout') return
  admitRollout(store, object)
  const { target } = readRollout(object)
  if (target !== undefined) createRoute(store, target)
}

function applyOne({ store }: Cluster, object: KubeObject): 'created' | 'configured' | 'unchanged' {
  const { kind, metadata } = object
  const applied = JSON.stringify(object)
  const present = store.get(kind, metadata.name)
  if (present === undefined) {
    store.create({
      ...object,
      metadata: { ...metadata, annotations: { ...metadata.annotations, [LAST_APPLIED]: applied } },
    })
    return 'created'
  }
  const last = present.metadata.annotations?.[LAST_APPLIED]
  if (last === applied) return 'unchanged'
  const previous: KubeObject = last === undefined ? present : JSON.parse(last)
  store.update(kind, metadata.name, draft => {
    const { paused } = present.spec ?? {}
    for (const [field, value] of Object.entries(object)) if (field !== 'metadata') draft[field] = structuredClone(value)
    if (kind === 'Deployment' && paused !== undefined) draft.spec.paused = paused
    draft.metadata.labels = { ...without(present.metadata.labels, previous.metadata.labels), ...metadata.labels }
    draft.metadata.annotations = {
      ...without(present.metadata.annotations, previous.metadata.annotations),
      ...metadata.annotations,
      [LAST_APPLIED]: applied,
    }
    if (kind === 'Deployment' && !isDeepStrictEqual(present.spec, draft.spec)) admitDeployment(store, present, draft)
  })
  return 'configured'
}

/** What others have added since the last time. */
function without(present: Record<string, string> = {}, applied: Record<string, string> = {}): Record<string, string> {
  return Object.fromEntries(Object.entries(present).filter(([key]) => !(key in applied)))
}
