import type { Clock } from './clock.js'
import type { KubeObject } from './kube-object.js'
import type { Change, Store } from './store.js'

/** One line: what an object is after a change, or what somebody did. `t` is in milliseconds of the cluster. */
export interface JournalEntry {
  readonly t: number
  readonly kind: string
  readonly [field: string]: unknown
}

/** Writes down every change of what a release touches, in the shape in which a real cluster was recorded. */
export class Journal {
  readonly entries: JournalEntry[] = []
  readonly #clock: Clock
  readonly #listeners: ((entry: JournalEntry) => void)[] = []

  constructor(store: Store, clock: Clock) {
    this.#clock = clock
    store.watch(change => {
      const fields = describe(change)
      if (fields !== undefined) this.#add({ kind: change.kind, name: change.name, ...fields })
    })
  }

  /** What a user did. */
  action(action: string): void {
    this.#add({ kind: 'Action', action })
  }

  /** An event of a controller. */
  event(about: string, message: string): void {
    this.#add({ kind: 'Event', about, reason: 'Progressing', message, from: 'rollout-controller' })
  }

  listen(listener: (entry: JournalEntry) => void): void {
    this.#listeners.push(listener)
  }

  #add(fields: Omit<JournalEntry, 't'> & { kind: string }): void {
    const entry: JournalEntry = { t: Math.round(this.#clock.now()), ...fields }
    this.entries.push(entry)
    for (const listener of this.#listeners) listener(entry)
  }
}

const KINDS: Readonly<Record<string, (object: KubeObject) => object>> = {
  Deployment: ({ metadata, spec, status }) => ({
    labels: ofRollouts(metadata.labels),
    annotations: ofRollouts(metadata.annotations),
    replicas: spec.replicas ?? 1,
    paused: spec.paused ?? false,
    image: tagOf(spec.template),
    has: [status?.replicas, status?.updatedReplicas, status?.readyReplicas, status?.availableReplicas].map(n => n ?? 0),
  }),
  Pod: ({ metadata, spec, status }) => ({
    image: tagOf({ spec }),
    labels: metadata.labels ?? {},
    ready: status?.ready ?? false,
    deleting: metadata.deletionTimestamp !== undefined,
  }),
  Rollout: ({ metadata, status }) => ({
    finalizers: metadata.finalizers ?? [],
    generation: metadata.generation,
    status: status ?? {},
  }),
  TrafficRouting: ({ metadata, status }) => ({ finalizers: metadata.finalizers ?? [], status: status ?? {} }),
  BatchRelease: ({ metadata, spec, status }) => ({
    partition: spec.releasePlan.batchPartition ?? null,
    finalizingPolicy: spec.releasePlan.finalizingPolicy,
    deleting: metadata.deletionTimestamp !== undefined,
    phase: status?.phase,
    batch: status?.canaryStatus,
  }),
  HTTPRoute: ({ metadata, spec }) => ({ annotations: metadata.annotations ?? {}, rules: spec.rules }),
  Ingress: ({ metadata, spec }) => ({
    annotations: metadata.annotations ?? {},
    backend: spec.rules?.[0]?.http?.paths?.[0]?.backend?.service?.name,
  }),
}

function describe({ kind, after }: Change): object | undefined {
  const fields = KINDS[kind]
  if (fields === undefined) return undefined
  return after === undefined ? { gone: true } : fields(after)
}

function tagOf(template: { spec: { containers: { image: string }[] } }): string {
  return template.spec.containers[0]?.image.split(':').at(-1) ?? ''
}

function ofRollouts(marks: Record<string, string> = {}): Record<string, string> {
  return Object.fromEntries(Object.entries(marks).filter(([key]) => key.split('/')[0]!.endsWith('rollouts.kruise.io')))
}
