import { type ClusterAccess, findClusterAccess } from '@laneway/kubernetes/internal'
import { GateError } from '../gate-error.js'
import { ApiError, type ApiRequest, callApi } from './api-client.js'
import type { RolloutObject } from './rollout.js'

/** A Deployment or ReplicaSet as the API server holds it, unknown fields included. */
export interface WorkloadObject {
  readonly metadata: {
    readonly name: string
    readonly uid: string
    readonly resourceVersion: string
    readonly managedFields?: readonly { readonly manager?: string; readonly subresource?: string }[]
    readonly ownerReferences?: readonly { readonly uid: string }[]
  }
  readonly spec: { readonly template: { metadata?: { labels?: Record<string, string> } } }
}

/** What the gate asks of a cluster, and nothing else; the manifests grant exactly this. */
export interface Cluster {
  readonly namespace: string
  rollout(name: string): Promise<RolloutObject>
  /** @returns `false` when the object has changed since `version` */
  setStepState(name: string, version: string, field: string, state: string): Promise<boolean>
  deployment(name: string): Promise<WorkloadObject>
  replicaSets(labelSelector: string): Promise<readonly WorkloadObject[]>
  /** @returns `false` when the object has changed since `version` */
  setTemplate(name: string, version: string, template: unknown): Promise<boolean>
  event(about: RolloutObject, type: 'Normal' | 'Warning', reason: string, note: string): Promise<void>
}

const ROLLOUTS = 'rollouts.kruise.io/v1beta1'
const APPS = 'apps/v1'
const EVENTS = 'events.k8s.io/v1'
const MERGE_PATCH = 'application/merge-patch+json'
const JSON_PATCH = 'application/json-patch+json'
const MAX_NOTE = 1_000

/**
 * Finds the cluster as the source of `@laneway/kubernetes` does: `kubeconfig`, `KUBECONFIG`, the service account of the
 * pod, `~/.kube/config`.
 *
 * Objects stay as the server sends them, unknown fields included: a pod template that is written back must be complete.
 *
 * @throws GateError `LANEWAY_GATE_CLUSTER` when there is no cluster, and from each method
 */
export function connectCluster(
  kubeconfig: string | undefined,
  context: string | undefined,
  namespace: string | undefined,
  env: Readonly<Record<string, string | undefined>> = process.env,
): Cluster {
  const access = findAccess(kubeconfig, context, env)
  const space = namespace ?? access.namespace

  async function ask<T>(what: string, request: ApiRequest): Promise<T> {
    try {
      return (await callApi(access, request)) as T
    } catch (error) {
      const message = `cannot ${what} in namespace ${space}: ${(error as Error).message}`
      throw new GateError('LANEWAY_GATE_CLUSTER', message, { cause: error })
    }
  }

  async function unlessChanged(what: string, request: ApiRequest): Promise<boolean> {
    try {
      await ask(what, request)
      return true
    } catch (error) {
      const { cause } = error as GateError
      if (cause instanceof ApiError && cause.status === 409) return false
      throw error
    }
  }

  const collection = (group: string, plural: string): string =>
    `/apis/${group}/namespaces/${encodeURIComponent(space)}/${plural}`
  const object = (group: string, plural: string, name: string): string =>
    `${collection(group, plural)}/${encodeURIComponent(name)}`

  return {
    namespace: space,
    rollout: name => ask(`get Rollout ${name}`, { method: 'GET', path: object(ROLLOUTS, 'rollouts', name) }),
    setStepState: (name, resourceVersion, field, state) =>
      unlessChanged(`patch the status of Rollout ${name}`, {
        method: 'PATCH',
        path: `${object(ROLLOUTS, 'rollouts', name)}/status`,
        contentType: MERGE_PATCH,
        body: { metadata: { resourceVersion }, status: { [field]: { currentStepState: state } } },
      }),
    deployment: name => ask(`get Deployment ${name}`, { method: 'GET', path: object(APPS, 'deployments', name) }),
    async replicaSets(labelSelector) {
      const { items } = await ask<{ items: WorkloadObject[] }>('list ReplicaSets', {
        method: 'GET',
        path: collection(APPS, 'replicasets'),
        query: { labelSelector },
      })
      return items
    },
    setTemplate: (name, resourceVersion, template) =>
      unlessChanged(`patch Deployment ${name}`, {
        method: 'PATCH',
        path: object(APPS, 'deployments', name),
        contentType: JSON_PATCH,
        body: [
          // The server refuses the patch as a conflict when it holds another version.
          { op: 'replace', path: '/metadata/resourceVersion', value: resourceVersion },
          { op: 'replace', path: '/spec/template', value: template },
        ],
      }),
    async event(about, type, reason, note) {
      const body = eventOf(about, space, type, reason, note)
      await ask('create an event', { method: 'POST', path: collection(EVENTS, 'events'), body })
    },
  }
}

function findAccess(
  kubeconfig: string | undefined,
  context: string | undefined,
  env: Readonly<Record<string, string | undefined>>,
): ClusterAccess {
  try {
    return findClusterAccess(kubeconfig, context, env)
  } catch (error) {
    throw new GateError('LANEWAY_GATE_CLUSTER', `no usable cluster: ${(error as Error).message}`, { cause: error })
  }
}

function eventOf(about: RolloutObject, namespace: string, type: 'Normal' | 'Warning', reason: string, note: string) {
  const { name, uid } = about.metadata
  return {
    apiVersion: EVENTS,
    kind: 'Event',
    metadata: { generateName: `${name}-`, namespace },
    eventTime: new Date().toISOString().replace('Z', '000Z'),
    reportingController: 'laneway.io/gate',
    reportingInstance: 'laneway-gate',
    action: reason,
    reason,
    type,
    note: note.slice(0, MAX_NOTE),
    regarding: { apiVersion: ROLLOUTS, kind: 'Rollout', name, namespace, uid },
  }
}
