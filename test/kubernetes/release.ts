import { readFileSync } from 'node:fs'
import { parse } from 'yaml'
import type { Kube } from './kube.js'

interface Tap {
  teardown(fn: () => unknown): void
}

const CRD = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions'

/** Rollouts in their pause, real Deployments beneath them, and this test in the place of the controller. */
export class Release {
  readonly done: string[] = []
  readonly #kube: Kube
  #playing = true

  private constructor(kube: Kube) {
    this.#kube = kube
  }

  /** Paused for a minute already. */
  static async start(t: Tap, kube: Kube, names: readonly string[]): Promise<Release> {
    const release = new Release(kube)
    const file = process.env['LANEWAY_TEST_ROLLOUTS_CRD'] ?? 'test/kubernetes/rollouts-crd.yaml'
    await kube.call('POST', CRD, parse(readFileSync(file, 'utf8'))).catch(error => {
      if (error.code !== 409) throw error
    })
    while ((await kube.call('GET', release.rollout()).catch(() => undefined)) === undefined) {
      await new Promise(resolve => setTimeout(resolve, 50))
    }
    for (const name of names) await release.#paused(name)
    const played = release.#play(names)
    t.teardown(async () => {
      release.#playing = false
      await played
    })
    return release
  }

  rollout(rest = ''): string {
    return this.#kube.path('/apis/rollouts.kruise.io/v1beta1', `rollouts${rest}`)
  }

  deployment(name: string): string {
    return this.#kube.path('/apis/apps/v1', `deployments/${name}`)
  }

  async #paused(name: string): Promise<void> {
    const kube = this.#kube
    const template = (version: string) => ({
      metadata: { labels: { app: name } },
      spec: { nodeName: kube.namespace, containers: [{ name: 'main', image: `${name}:${version}` }] },
    })
    await kube.call('POST', kube.path('/apis/apps/v1', 'deployments'), {
      metadata: { name },
      spec: { replicas: 1, selector: { matchLabels: { app: name } }, template: template('1') },
    })
    // The real controller makes the ReplicaSet of the stable revision.
    let hash: string | undefined
    while (hash === undefined) {
      const { items } = await kube.call(
        'GET',
        `${kube.path('/apis/apps/v1', 'replicasets')}?labelSelector=app%3D${name}`,
      )
      hash = items[0]?.metadata.labels['pod-template-hash']
    }
    const next = { spec: { paused: true, template: template('2') } }
    await kube.call('PATCH', this.deployment(name), next, 'application/merge-patch+json')
    await kube.call('POST', this.rollout(), {
      apiVersion: 'rollouts.kruise.io/v1beta1',
      kind: 'Rollout',
      metadata: { name: `rollout-${name}` },
      spec: {
        workloadRef: { apiVersion: 'apps/v1', kind: 'Deployment', name },
        strategy: { canary: { enableExtraWorkloadForCanary: true, steps: [{ replicas: 1, pause: {} }] } },
      },
    })
    await this.#status(name, {
      phase: 'Progressing',
      observedGeneration: 1,
      message: 'Rollout is in step(1/1), and you need manually confirm to enter the next step',
      conditions: [condition('Progressing', 'True', 'InRolling')],
      currentStepIndex: 1,
      currentStepState: 'StepPaused',
      canaryStatus: {
        currentStepIndex: 1,
        nextStepIndex: -1,
        currentStepState: 'StepPaused',
        finalisingStep: '',
        canaryReplicas: 1,
        canaryReadyReplicas: 1,
        canaryRevision: 'new',
        podTemplateHash: 'new',
        stableRevision: hash,
        lastUpdateTime: new Date(Date.now() - 60_000).toISOString().replace(/\.\d+/, ''),
      },
    })
  }

  #status(name: string, status: unknown): Promise<unknown> {
    const path = this.rollout(`/rollout-${name}/status`)
    return this.#kube.call('PATCH', path, { status }, 'application/merge-patch+json')
  }

  /** The controller's part, as far as the gate sees it: Completed, Finalising, Healthy; or Cancelling. */
  async #play(names: readonly string[]): Promise<void> {
    const open = new Set(names)
    while (this.#playing) {
      for (const name of open) {
        const { status } = await this.#kube.call('GET', this.rollout(`/rollout-${name}`))
        const { spec } = await this.#kube.call('GET', this.deployment(name))
        if (status.canaryStatus.currentStepState === 'StepReady') {
          this.done.push(`approved ${name}`)
          open.delete(name)
          await this.#status(name, {
            message: 'Rollout has been completed and some closing work is being done',
            conditions: [condition('Progressing', 'True', 'Finalising')],
            canaryStatus: { currentStepState: 'Completed' },
          })
          await this.#status(name, {
            phase: 'Healthy',
            message: 'Rollout progressing has been completed',
            conditions: [condition('Progressing', 'False', 'Completed'), condition('Succeeded', 'True', '')],
          })
        } else if (spec.template.spec.containers[0].image === `${name}:1`) {
          this.done.push(`reverted ${name}`)
          open.delete(name)
          await this.#status(name, {
            message: 'The workload has been rolled back and the rollout process will be cancelled',
            conditions: [condition('Progressing', 'True', 'Cancelling')],
          })
        }
      }
      await new Promise(resolve => setTimeout(resolve, 50))
    }
  }

  /** `reason about` of the events in the namespace that the gate wrote. */
  async events(): Promise<string[]> {
    const { items } = await this.#kube.call('GET', this.#kube.path('/apis/events.k8s.io/v1', 'events'))
    return items
      .filter((one: any) => one.reportingController === 'laneway.io/gate')
      .map((one: any) => `${one.reason} ${one.regarding.name}`)
      .sort()
  }
}

function condition(type: string, status: string, reason: string) {
  return { type, status, reason, message: '' }
}
