import type { Controllers } from '../cluster/controllers.js'
import { isComplete } from '../cluster/deployment-controller.js'
import { type KubeObject, ownerOf } from '../cluster/kube-object.js'
import { suffix } from '../cluster/revision.js'
import type { Store } from '../cluster/store.js'
import type { ControllerContext } from './controller-context.js'
import { CANARY_OF, CONTROL_INFO, IN_PROGRESS } from './names.js'
import { type RolloutSpec, replicasOf } from './rollout-spec.js'

/** The controller looks every two seconds and a little, as recorded, whatever changes meanwhile. */
const LOOK_MS = 2050

/** The gray Deployment beside a Deployment. */
export function extraDeploymentOf(store: Store, workload: string): KubeObject | undefined {
  return store.list('Deployment').find(one => one.metadata.labels?.[CANARY_OF] === workload)
}

/** The BatchRelease of a Rollout at the batch of its step. */
export function requireBatch(
  { store }: ControllerContext,
  rollout: KubeObject,
  deployment: KubeObject,
  spec: RolloutSpec,
): KubeObject {
  const { name, namespace } = rollout.metadata
  const partition = rollout.status.canaryStatus.currentStepIndex - 1
  if (store.get('BatchRelease', name) === undefined) {
    store.create({
      apiVersion: 'rollouts.kruise.io/v1beta1',
      kind: 'BatchRelease',
      metadata: { name, ...(namespace !== undefined && { namespace }), ownerReferences: [{ kind: 'Rollout', name }] },
      spec: {
        workloadRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: spec.workload },
        releasePlan: {
          batches: spec.steps.map(step => ({ canaryReplicas: replicasOf(step, deployment.spec.replicas ?? 1) })),
          batchPartition: partition,
          rollingStyle: 'Canary',
          patchPodTemplateMetadata: spec.patch,
        },
      },
    })
  }
  return store.update('BatchRelease', name, draft => {
    draft.spec.releasePlan.batchPartition = partition
  })!
}

/** Lets the base roll. @returns whether that is done */
export function resumeWorkload(
  { store }: ControllerContext,
  name: string,
  finalizingPolicy: 'WaitResume' | 'Immediate',
): boolean {
  const release = store.update('BatchRelease', name, draft => {
    draft.spec.releasePlan.batchPartition = null
    draft.spec.releasePlan.finalizingPolicy = finalizingPolicy
  })
  return release === undefined || release.status?.phase === 'Completed'
}

/** Ends a BatchRelease, and with it the gray Deployment. @returns whether it is gone */
export function releaseBatch({ store }: ControllerContext, name: string, workload: string): boolean {
  store.markDeleted('BatchRelease', name)
  store.update('Deployment', workload, draft => {
    delete draft.metadata.annotations?.[CONTROL_INFO]
  })
  return store.get('BatchRelease', name) === undefined && extraDeploymentOf(store, workload) === undefined
}

/** The BatchRelease controller: makes the gray Deployment, sizes it batch by batch, and lets the base roll at the end. */
export function addBatchReleaseController(controllers: Controllers, { store, clock }: ControllerContext): void {
  const nextLook = new Map<string, number>()
  const lookIn = (name: string, ms: number) => {
    nextLook.set(name, clock.now() + ms)
    return ms
  }

  function reconcile(name: string): number | undefined {
    const release = store.get('BatchRelease', name)
    if (release === undefined) {
      for (const one of store.list('Deployment')) {
        if (ownerOf(one, 'BatchRelease') === name) store.remove('Deployment', one.metadata.name)
      }
      return undefined
    }
    if (release.metadata.deletionTimestamp !== undefined) {
      store.remove('BatchRelease', name)
      return undefined
    }
    const early = (nextLook.get(name) ?? 0) - clock.now()
    const { releasePlan, workloadRef } = release.spec
    const workload = store.get('Deployment', workloadRef.name)
    if (workload === undefined) return undefined
    switch (release.status?.phase) {
      case undefined:
        write(name, { phase: 'Preparing', canaryStatus: { currentBatch: 0 } })
        return lookIn(name, LOOK_MS)
      case 'Preparing':
        if (early > 0) return early
        takeOver(release, workload)
        return undefined
      case 'Progressing':
        if (releasePlan.batchPartition === null) {
          write(name, { phase: 'Finalizing' })
          return lookIn(name, releasePlan.finalizingPolicy === 'WaitResume' ? LOOK_MS : 50)
        }
        return playBatch(release, workloadRef.name, early)
      case 'Finalizing': {
        if (early > 0) return early
        const resumed = store.update('Deployment', workloadRef.name, draft => {
          draft.spec.paused = false
          delete draft.metadata.annotations?.[CONTROL_INFO]
          delete draft.metadata.annotations?.[IN_PROGRESS]
        })!
        if (releasePlan.finalizingPolicy === 'WaitResume' && !isComplete(resumed)) return undefined
        write(name, { phase: 'Completed' })
        return undefined
      }
      default:
        return undefined
    }
  }

  function write(name: string, fields: object): void {
    store.update('BatchRelease', name, draft => {
      draft.status = { ...draft.status, ...fields }
    })
  }

  function takeOver(release: KubeObject, workload: KubeObject): void {
    const { name, uid } = release.metadata
    const control = JSON.stringify({
      apiVersion: release.apiVersion,
      kind: 'BatchRelease',
      name,
      uid,
      controller: true,
    })
    store.update('Deployment', workload.metadata.name, draft => {
      draft.metadata.annotations = { ...draft.metadata.annotations, [CONTROL_INFO]: control }
    })
    const template = structuredClone(workload.spec.template)
    const { labels, annotations } = release.spec.releasePlan.patchPodTemplateMetadata ?? {}
    template.metadata = {
      ...template.metadata,
      // Labels of the patch win over those of the template: `lane: base` becomes `lane: gray`.
      labels: { ...template.metadata?.labels, ...labels },
      annotations: { ...template.metadata?.annotations, ...annotations },
    }
    store.create({
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: {
        name: `${workload.metadata.name}-${suffix()}`,
        labels: { [CANARY_OF]: workload.metadata.name },
        annotations: { [CONTROL_INFO]: control },
        ownerReferences: [{ kind: 'BatchRelease', name }],
      },
      spec: { ...structuredClone(workload.spec), template, replicas: 0, paused: false },
    })
    write(name, { phase: 'Progressing' })
  }

  function playBatch(release: KubeObject, workload: string, early: number): number | undefined {
    const { name } = release.metadata
    const { batches, batchPartition } = release.spec.releasePlan
    const batch = release.status.canaryStatus
    const extra = extraDeploymentOf(store, workload)
    if (extra === undefined) return undefined
    const wanted = Math.max(batches[batchPartition].canaryReplicas, extra.spec.replicas)
    const counts = {
      updatedReplicas: extra.status?.replicas ?? 0,
      updatedReadyReplicas: extra.status?.availableReplicas ?? 0,
    }
    const say = (batchState: string) =>
      write(name, { canaryStatus: { batchState, currentBatch: batchPartition, ...counts } })
    if (batch.batchState === undefined || batch.currentBatch !== batchPartition) {
      store.update('Deployment', extra.metadata.name, draft => {
        draft.spec.replicas = wanted
      })
      say('Upgrading')
      return lookIn(name, LOOK_MS)
    }
    if (batch.batchState === 'Ready') return undefined
    if (early > 0) {
      say(counts.updatedReplicas >= wanted ? 'Verifying' : 'Upgrading')
      return early
    }
    const ready =
      extra.status?.observedGeneration === extra.metadata.generation && counts.updatedReadyReplicas >= wanted
    say(ready ? 'Ready' : 'Verifying')
    return ready ? undefined : lookIn(name, LOOK_MS)
  }

  controllers.add(reconcile, ({ kind, name, before, after }) => {
    if (kind === 'BatchRelease') return [name]
    if (kind !== 'Deployment') return []
    const owner = ownerOf((after ?? before)!, 'BatchRelease')
    if (owner !== undefined) return [owner]
    return store
      .list('BatchRelease')
      .filter(one => one.spec.workloadRef.name === name)
      .map(one => one.metadata.name)
  })
}
