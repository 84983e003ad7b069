import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type GateOptions, type GateResult, runGate } from '@laneway/gate'
import { KubernetesApi, listen, type StoredObject } from '@laneway/testkit'

interface Tap {
  teardown(fn: () => unknown): void
}

export const ROLLOUTS = '/apis/rollouts.kruise.io/v1beta1/namespaces/shop/rollouts'
export const DEPLOYMENTS = '/apis/apps/v1/namespaces/shop/deployments'
export const REPLICASETS = '/apis/apps/v1/namespaces/shop/replicasets'
export const EVENTS = '/apis/events.k8s.io/v1/namespaces/shop/events'
export const CONFIRM = 'Rollout is in step(1/1), and you need manually confirm to enter the next step'

export interface Traffic {
  requests: number
  errors?: number
  /** Seconds; each request took so long. */
  latency?: number
}

/** A Prometheus that is told what to say. */
export class FakePrometheus {
  url = ''
  /** `service lane` -> traffic; the lane as served by its own instances is `gray@gray`. */
  readonly traffic: Record<string, Traffic> = {}
  ageSeconds = 0
  /** Replaces an answer, or returns `undefined`. */
  answer: (query: string) => unknown = () => undefined
  /** Of every answer. */
  head: { readonly status?: number; readonly headers?: Readonly<Record<string, string>> } = {}
  readonly queries: string[] = []

  static async start(t: Tap): Promise<FakePrometheus> {
    const fake = new FakePrometheus()
    const server = createServer((request, response) => {
      let body = ''
      request.on('data', chunk => (body += chunk))
      request.on('end', () => {
        const query = new URLSearchParams(body).get('query') ?? ''
        fake.queries.push(query)
        const answer = fake.answer(query) ?? { status: 'success', data: fake.#data(query) }
        response.writeHead(fake.head.status ?? 200, fake.head.headers)
        response.end(typeof answer === 'string' ? answer : JSON.stringify(answer))
      })
    })
    fake.url = `http://127.0.0.1:${await listen(t, server)}`
    return fake
  }

  /** The same traffic for several services. */
  say(services: readonly string[], lane: Traffic, base: Traffic): void {
    for (const service of services) {
      this.traffic[`${service} gray`] = lane
      this.traffic[`${service} gray@gray`] = lane
      this.traffic[`${service} base`] = base
    }
  }

  #data(query: string): unknown {
    const at = Date.now() / 1_000
    if (query === 'time()') return { resultType: 'scalar', result: [at, String(at)] }
    const label = (name: string) => new RegExp(`${name}="([^"]*)"`).exec(query)?.[1]
    const service = label('job') ?? ''
    if (query.startsWith('up{'))
      return { resultType: 'vector', result: [{ metric: { job: service }, value: [at, '1'] }] }
    const instance = label('laneway_instance_lane')
    const traffic = this.traffic[`${service} ${label('laneway_lane')}${instance === undefined ? '' : `@${instance}`}`]
    if (query.includes('_bucket')) {
      if (traffic === undefined) return { resultType: 'vector', result: [] }
      const { requests, latency = 0.02 } = traffic
      const bounds = ['0.005', '0.01', '0.025', '0.05', '0.1', '0.25', '0.5', '1', '+Inf']
      const row = (le: string) => ({
        metric: { le },
        value: [at, String(le === '+Inf' || Number(le) >= latency ? requests : 0)],
      })
      return { resultType: 'vector', result: bounds.map(row) }
    }
    const series = (status: string, count: number) => ({
      metric: { job: service, http_response_status_code: status },
      values: [
        [at - this.ageSeconds - 0.5, '0'],
        [at - this.ageSeconds, String(count)],
      ],
    })
    if (traffic === undefined) return { resultType: 'matrix', result: [] }
    const { requests, errors = 0 } = traffic
    return { resultType: 'matrix', result: [series('200', requests - errors), series('500', errors)] }
  }
}

/** A cluster with Rollouts, a Prometheus, and somebody who plays the controller. */
export class World {
  readonly log: string[] = []
  /** What the controller saw happen, in order. */
  readonly done: string[] = []
  readonly api: KubernetesApi
  readonly prometheus: FakePrometheus
  /** What the controller does with an approval; the default lets the release end. */
  onApprove = (name: string) => this.finish(name)
  onRevert = (name: string) => this.cancel(name)
  readonly #t: Tap

  constructor(t: Tap, api: KubernetesApi, prometheus: FakePrometheus) {
    this.#t = t
    this.api = api
    this.prometheus = prometheus
  }

  static async start(t: Tap): Promise<World> {
    const world = new World(t, await KubernetesApi.start(t), await FakePrometheus.start(t))
    t.teardown(
      world.api.store.onChange(({ collection, object, before }) => {
        const { name } = object.metadata
        if (
          collection === ROLLOUTS &&
          stepState(object) === 'StepReady' &&
          before &&
          stepState(before) !== 'StepReady'
        ) {
          world.done.push(`approve ${name}`)
          setImmediate(() => world.onApprove(name))
        }
        if (collection === DEPLOYMENTS && before && image(object) !== image(before)) {
          world.done.push(`revert ${name} to ${image(object)}`)
          setImmediate(() => world.onRevert(name.replace('shop', 'rollout')))
        }
      }),
    )
    return world
  }

  /** A Rollout in its pause, with the Deployment that it releases. */
  paused(name: string, status: Record<string, unknown> = {}, spec: Record<string, unknown> = {}): void {
    const workload = name.replace('rollout', 'shop')
    this.api.store.put(ROLLOUTS, {
      metadata: { name, namespace: 'shop', generation: 1 },
      spec: { workloadRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: workload }, ...spec },
      status: {
        phase: 'Progressing',
        message: CONFIRM,
        observedGeneration: 1,
        conditions: [{ type: 'Progressing', status: 'True', reason: 'InRolling' }],
        canaryStatus: {
          currentStepIndex: 1,
          currentStepState: 'StepPaused',
          stableRevision: `hash-${workload}`,
          canaryRevision: 'new',
          lastUpdateTime: new Date(Date.now() - 60_000).toISOString(),
        },
        currentStepIndex: 1,
        currentStepState: 'StepPaused',
        ...status,
      },
    })
    const template = (version: string, labels: Record<string, string> = {}) => ({
      metadata: { labels: { app: workload, ...labels } },
      spec: { containers: [{ name: 'main', image: `${workload}:${version}` }], 'x-unknown-field': true },
    })
    const deployment = this.api.store.put(DEPLOYMENTS, {
      metadata: { name: workload, managedFields: [{ manager: 'kubectl-client-side-apply' }] },
      spec: { paused: true, template: template('2') },
    })
    for (const [version, hash] of [
      ['0', 'older'],
      ['1', `hash-${workload}`],
    ] as const) {
      this.api.store.put(REPLICASETS, {
        metadata: {
          name: `${workload}-${hash}`,
          labels: { app: workload, 'pod-template-hash': hash },
          ownerReferences: [{ uid: deployment.metadata.uid }],
        },
        spec: { template: template(version, { 'pod-template-hash': hash }) },
      })
    }
  }

  status(name: string, change: Record<string, unknown>): void {
    const object = this.api.store.get(ROLLOUTS, name)
    if (object === undefined) return
    const status = { ...(object['status'] as object), ...change }
    this.api.store.put(ROLLOUTS, { ...object, status })
  }

  step(name: string, change: Record<string, unknown>): void {
    const { canaryStatus } = this.api.store.get(ROLLOUTS, name)!['status'] as { canaryStatus: object }
    this.status(name, { canaryStatus: { ...canaryStatus, ...change } })
  }

  finish(name: string): void {
    this.step(name, { currentStepState: 'Completed' })
    const conditions = [
      { type: 'Progressing', status: 'False', reason: 'Completed' },
      { type: 'Succeeded', status: 'True' },
    ]
    this.status(name, { phase: 'Healthy', message: 'Rollout progressing has been completed', conditions })
    this.done.push(`finished ${name}`)
  }

  cancel(name: string): void {
    this.status(name, {
      message: 'The workload has been rolled back and the rollout process will be cancelled',
      conditions: [{ type: 'Progressing', status: 'True', reason: 'Cancelling' }],
    })
  }

  events(): string[] {
    return this.api.store
      .items(EVENTS)
      .map(one => `${one['type']} ${one['reason']} ${(one['regarding'] as { name: string }).name}`)
  }

  gate(options: Partial<GateOptions> = {}): Promise<GateResult> {
    const folder = mkdtempSync(join(tmpdir(), 'laneway-gate-'))
    this.#t.teardown(() => rmSync(folder, { recursive: true, force: true }))
    const kubeconfig = join(folder, 'config')
    writeFileSync(kubeconfig, this.api.kubeconfig('shop'))
    return runGate(
      {
        hops: 'shop-a=rollout-a,shop-b,shop-c=rollout-c',
        lane: 'gray',
        prometheus: this.prometheus.url,
        kubeconfig,
        intervalSeconds: 0.01,
        settleSeconds: 5,
        timeoutSeconds: 20,
        ...options,
      },
      { log: line => this.log.push(line) },
    )
  }
}

export function stepState(object: StoredObject | undefined): string | undefined {
  return (object?.['status'] as { canaryStatus?: { currentStepState?: string } } | undefined)?.canaryStatus
    ?.currentStepState
}

export function image(object: StoredObject | undefined): string | undefined {
  return (object?.['spec'] as any)?.template?.spec?.containers?.[0]?.image
}

export const SERVICES = ['shop-a', 'shop-b', 'shop-c']
