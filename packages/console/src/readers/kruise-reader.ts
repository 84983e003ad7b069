import { type OptionTable, readOptions, text, unchecked } from '@laneway/core/internal'
import { callApi, type RolloutObject, readRollout } from '@laneway/gate/internal'
import { findClusterAccess } from '@laneway/kubernetes/internal'
import type { Rollout, Routing } from '../wire.js'
import type { ReleaseReader } from './reader.js'

/** Options of {@link kruiseReader}. */
export interface KruiseReaderOptions {
  /** @default the namespace of the context, else that of the pod */
  namespace?: string | undefined
  /** A kubeconfig file. @default `KUBECONFIG`, else the pod's service account, else `~/.kube/config` */
  kubeconfig?: string | undefined
  /** Lists objects of a kind from elsewhere than an API server. @default undefined */
  list?: ((kind: 'Rollout' | 'TrafficRouting') => unknown[] | Promise<unknown[]>) | undefined
}

const OPTIONS = {
  namespace: text(undefined),
  kubeconfig: text(undefined),
  list: unchecked<KruiseReaderOptions['list']>(),
} satisfies OptionTable<KruiseReaderOptions>

const PATHS = {
  Rollout: ['rollouts.kruise.io/v1beta1', 'rollouts'],
  TrafficRouting: ['rollouts.kruise.io/v1alpha1', 'trafficroutings'],
} as const

/**
 * Reads Rollouts and TrafficRoutings of OpenKruise: `get` and `list` on both are all the rights it needs.
 *
 * @throws LanewayError `LANEWAY_INVALID_OPTION`; `LANEWAY_SOURCE` when there is no cluster to be found
 */
export function kruiseReader(options: KruiseReaderOptions = {}): ReleaseReader {
  const { namespace, kubeconfig, list: given } = readOptions('kruiseReader', options, OPTIONS)
  const cluster = given === undefined ? listOfCluster(kubeconfig, namespace) : undefined
  const list = given ?? cluster!.list
  return {
    name: cluster?.name ?? 'the emulated cluster',
    async read() {
      const [rollouts, routings] = await Promise.all([list('Rollout'), list('TrafficRouting')])
      const byName = (a: { name: string }, b: { name: string }) => (a.name < b.name ? -1 : 1)
      return { rollouts: rollouts.map(rolloutOf).sort(byName), routings: routings.map(routingOf).sort(byName) }
    },
  }
}

function listOfCluster(kubeconfig: string | undefined, namespace: string | undefined) {
  const access = findClusterAccess(kubeconfig, undefined, process.env)
  const space = namespace ?? access.namespace
  return {
    name: `namespace ${space}`,
    async list(kind: keyof typeof PATHS): Promise<unknown[]> {
      const [group, plural] = PATHS[kind]
      const path = `/apis/${group}/namespaces/${encodeURIComponent(space)}/${plural}`
      try {
        const { items } = (await callApi(access, { method: 'GET', path })) as { items: unknown[] }
        return items
      } catch (error) {
        // The cluster does not have the kind: OpenKruise is not there, or a version without it.
        if ((error as { status?: unknown }).status === 404) return []
        throw error
      }
    },
  }
}

// What an API server holds has the form of the schema; a field may be left out anywhere.
type Loose = { readonly [key: string]: any }

function rolloutOf(value: unknown): Rollout {
  const object = value as RolloutObject
  const { name, summary, stage, field } = readRollout(object)
  const { spec, status } = value as Loose
  const strategy = spec?.strategy?.canary ?? spec?.strategy?.blueGreen
  const step = status?.[field] ?? {}
  return {
    name,
    workload: `${spec?.workloadRef?.kind ?? ''} ${spec?.workloadRef?.name ?? ''}`.trim(),
    phase: status?.phase ?? 'no phase',
    step: stage === 'done' ? 0 : (step.currentStepIndex ?? 0),
    steps: (strategy?.steps ?? []).map((one: Loose) => String(one['replicas'] ?? one['traffic'] ?? '?')),
    stepState: step.currentStepState ?? '',
    message: status?.message ?? summary,
    stage,
  }
}

function routingOf(value: unknown): Routing {
  const { metadata, spec, status } = value as Loose
  const { matches = [], weight, requestHeaderModifier } = spec?.strategy ?? {}
  const set = (requestHeaderModifier?.set ?? []).map((one: Loose) => `${one['name']}: ${one['value']}`).join(', ')
  const whom =
    matches.length > 0
      ? `requests with ${matches.map(matchText).join(' or ')}`
      : weight === undefined
        ? 'no request'
        : `${weight} % of the requests`
  const [target = {}] = spec?.objectRef ?? []
  return {
    name: metadata?.name ?? '',
    phase: status?.phase ?? 'no phase',
    message: status?.message ?? '',
    colours: `${whom}${set === '' ? '' : ` get ${set}`}`,
    target: `Service ${target.service ?? '?'}`,
  }
}

function matchText({ headers = [], path, queryParams = [] }: Loose): string {
  const parts = [
    ...(path?.value === undefined ? [] : [`path ${path.value}`]),
    ...headers.map((one: Loose) => `${one['name']} ${one['type'] === 'RegularExpression' ? '~' : '='} ${one['value']}`),
    ...queryParams.map((one: Loose) => `?${one['name']} = ${one['value']}`),
  ]
  return parts.join(' and ') || 'any path'
}
