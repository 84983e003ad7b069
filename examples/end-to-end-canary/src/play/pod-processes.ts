import type { KubeObject } from '../cluster/kube-object.js'
import type { PodRunner } from '../cluster/kubelet.js'
import type { Fleet, Instance } from '../fleet.js'

/** What a manifest says about a machine that this one is not. */
const OF_THE_CLUSTER = new Set(['HOST', 'PORT', 'HEALTH_PORT', 'NACOS', 'POD_IP', 'LEAVE_DELAY_MS'])

/**
 * Pods as processes: those of A, B and C are the services of this folder. There are no others: the play takes no
 * Deployment of anything else.
 */
export function createPodProcesses(fleet: Fleet): PodRunner {
  const starting = new Map<string, Promise<Instance>>()
  return {
    async start(pod) {
      const service = serviceOf(pod)
      if (service === undefined) throw new Error(`${pod.metadata.name}: nothing here runs its image`)
      const environment = environmentOf(pod)
      const started = fleet.start(service, versionOf(pod), environment['LANEWAY_TAG'], 0, environment)
      starting.set(pod.metadata.name, started)
      return (await started).address
    },
    async stop({ metadata }) {
      const instance = await starting.get(metadata.name)?.catch(() => undefined)
      starting.delete(metadata.name)
      if (instance !== undefined) await fleet.leave(instance)
    },
  }
}

/** `a`, `b` or `c`, by the image. */
export function serviceOf(pod: Pick<KubeObject, 'spec'>): string | undefined {
  return /(?:^|\/)spring-cloud-([abc]):/.exec(pod.spec.containers[0]?.image ?? '')?.[1]
}

function versionOf({ spec }: KubeObject): string {
  return spec.containers[0].image.split(':').at(-1)
}

/** The environment that a pod's container has: values, and fields of the pod. */
function environmentOf({ metadata, spec }: KubeObject): Record<string, string> {
  const environment: Record<string, string> = {}
  for (const { name, value, valueFrom } of spec.containers[0].env ?? []) {
    if (OF_THE_CLUSTER.has(name)) continue
    const path: string | undefined = valueFrom?.fieldRef?.fieldPath
    if (value !== undefined) environment[name] = value
    else if (path === 'metadata.name') environment[name] = metadata.name
    else if (path !== undefined) {
      const [, field, key = ''] = /^metadata\.(labels|annotations)\['(.+)'\]$/.exec(path) ?? []
      if (field !== undefined) environment[name] = metadata[field as 'labels' | 'annotations']?.[key] ?? ''
    }
  }
  return environment
}
