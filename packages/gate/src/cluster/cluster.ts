import { setTimeout as delay } from 'node:timers/promises'
import { CustomObjectsApi, KubeConfig, PatchStrategy, setHeaderOptions } from '@kubernetes/client-node'
import { GateError } from '../gate-error.js'
import { resolvePluginPaths } from './plugin-paths.js'
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

const ROLLOUTS = { group: 'rollouts.kruise.io', version: 'v1beta1', plural: 'rollouts' }
const APPS = { group: 'apps', version: 'v1' }
const EVENTS = { group: 'events.k8s.io', version: 'v1', plural: 'events' }
const MAX_NOTE = 1_000
const RETRY_AFTER_MS = [200, 1_000]

/**
 * Connects as kubectl does.
 *
 * Everything goes through the untyped custom object API: the typed one drops the fields that it does not know, and a pod
 * template that is written back must be whole.
 *
 * @throws GateError `LANEWAY_GATE_CLUSTER` from each method
 */
export function connectCluster(
  kubeconfig: string | undefined,
  context: string | undefined,
  namespace: string | undefined,
): Cluster {
  const config = new KubeConfig()
  try {
    if (kubeconfig === undefined) config.loadFromDefault()
    else config.loadFromFile(kubeconfig)
    if (context !== undefined) config.setCurrentContext(context)
    resolvePluginPaths(config, kubeconfig, process.env)
  } catch (error) {
    throw new GateError('LANEWAY_GATE_CLUSTER', `no usable kubeconfig: ${(error as Error).message}`, { cause: error })
  }
  const api = config.makeApiClient(CustomObjectsApi)
  const space = namespace ?? config.getContextObject(config.getCurrentContext())?.namespace ?? 'default'
  const merge = setHeaderOptions('Content-Type', PatchStrategy.MergePatch)
  const json = setHeaderOptions('Content-Type', PatchStrategy.JsonPatch)

  async function ask<T>(what: string, call: () => Promise<unknown>): Promise<T> {
    try {
      return (await insist(call)) as T
    } catch (error) {
      throw new GateError('LANEWAY_GATE_CLUSTER', `cannot ${what} in namespace ${space}: ${reasonOf(error)}`, {
        cause: error,
      })
    }
  }

  async function unlessChanged(what: string, call: () => Promise<unknown>): Promise<boolean> {
    try {
      await ask(what, call)
      return true
    } catch (error) {
      if (codeOf((error as GateError).cause) === 409) return false
      throw error
    }
  }

  return {
    namespace: space,
    rollout: name =>
      ask(`get Rollout ${name}`, () => api.getNamespacedCustomObject({ ...ROLLOUTS, namespace: space, name })),
    setStepState: (name, resourceVersion, field, state) =>
      unlessChanged(`patch the status of Rollout ${name}`, () => {
        const body = { metadata: { resourceVersion }, status: { [field]: { currentStepState: state } } }
        return api.patchNamespacedCustomObjectStatus({ ...ROLLOUTS, namespace: space, name, body }, merge)
      }),
    deployment: name =>
      ask(`get Deployment ${name}`, () =>
        api.getNamespacedCustomObject({ ...APPS, plural: 'deployments', namespace: space, name }),
      ),
    async replicaSets(labelSelector) {
      const list = await ask<{ items: WorkloadObject[] }>('list ReplicaSets', () =>
        api.listNamespacedCustomObject({ ...APPS, plural: 'replicasets', namespace: space, labelSelector }),
      )
      return list.items
    },
    setTemplate: (name, resourceVersion, template) =>
      unlessChanged(`patch Deployment ${name}`, () => {
        const body = [
          // Another version than the stored one makes it a conflict.
          { op: 'replace', path: '/metadata/resourceVersion', value: resourceVersion },
          { op: 'replace', path: '/spec/template', value: template },
        ]
        return api.patchNamespacedCustomObject({ ...APPS, plural: 'deployments', namespace: space, name, body }, json)
      }),
    async event(about, type, reason, note) {
      await ask('create an event', () =>
        api.createNamespacedCustomObject({
          ...EVENTS,
          namespace: space,
          body: {
            apiVersion: 'events.k8s.io/v1',
            kind: 'Event',
            metadata: { generateName: `${about.metadata.name}-`, namespace: space },
            eventTime: new Date().toISOString().replace('Z', '000Z'),
            reportingController: 'laneway.io/gate',
            reportingInstance: 'laneway-gate',
            action: reason,
            reason,
            type,
            note: note.slice(0, MAX_NOTE),
            regarding: {
              apiVersion: 'rollouts.kruise.io/v1beta1',
              kind: 'Rollout',
              name: about.metadata.name,
              namespace: space,
              uid: about.metadata.uid,
            },
          },
        }),
      )
    },
  }
}

/** A connection that is lost, or a server that restarts, must not end an approval by half. */
async function insist(call: () => Promise<unknown>): Promise<unknown> {
  for (const pause of RETRY_AFTER_MS) {
    try {
      return await call()
    } catch (error) {
      const code = codeOf(error)
      if (code >= 400 && code < 500 && code !== 429) throw error
      await delay(pause)
    }
  }
  return call()
}

function codeOf(error: unknown): number {
  const code = (error as { code?: unknown } | undefined)?.code
  return typeof code === 'number' ? code : 0
}

function reasonOf(error: unknown): string {
  const { body, message } = error as { body?: unknown; message?: string }
  let status = body
  if (typeof body === 'string') {
    try {
      status = JSON.parse(body)
    } catch {
      return body.slice(0, 300)
    }
  }
  const told = (status as { message?: unknown } | undefined)?.message
  return typeof told === 'string' ? told : (message ?? String(error))
}
