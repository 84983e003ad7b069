import { execFile } from 'node:child_process'
import { documentsOf, type Profile } from './manifests.js'

/** The manifests of a profile in a namespace of their own, and what one does to them. */
export class Cluster {
  readonly namespace: string
  readonly profile: Profile
  readonly #kubeconfig: string

  constructor(kubeconfig: string, profile: Profile) {
    this.#kubeconfig = kubeconfig
    this.profile = profile
    this.namespace = `walk-${profile}`
  }

  /** In the namespace. @returns what it prints */
  kubectl(args: readonly string[], input = ''): Promise<string> {
    return new Promise((resolve, reject) => {
      // What is applied says itself where it belongs.
      const where = args[0] === 'apply' ? [] : ['--namespace', this.namespace]
      const all = ['--kubeconfig', this.#kubeconfig, ...where, ...args]
      const child = execFile('kubectl', all, (error, stdout, stderr) => {
        if (error === null) resolve(stdout)
        else reject(new Error(`kubectl ${args.join(' ')}: ${stderr}`))
      })
      // Those that read nothing may be gone by now; what they end with is what counts.
      child.stdin?.on('error', () => {})
      child.stdin?.end(input)
    })
  }

  async get(kind: string, name: string): Promise<any> {
    return JSON.parse(await this.kubectl(['get', kind, name, '-o', 'json']))
  }

  /** `kubectl apply -f` of a folder, or of some kinds in it. */
  async apply(folder: string, kinds = /./): Promise<void> {
    const items = documentsOf(folder)
      .map(({ object }) => object)
      .filter(({ kind }) => kinds.test(kind))
    // The namespace of the plain YAML; the account of the services has the same name.
    const text = JSON.stringify({ apiVersion: 'v1', kind: 'List', items })
    await this.kubectl(['apply', '-f', '-'], text.replaceAll('"laneway-demo"', `"${this.namespace}"`))
  }

  async setImage(services: readonly string[], version: string): Promise<void> {
    for (const service of services) {
      const name = `spring-cloud-${service}`
      const image = `${name}=registry.example.com/laneway-demo/${name}:${version}`
      await this.kubectl(['set', 'image', `deployment/${name}`, image])
    }
  }

  /** As the guide has it. */
  async approve(service: string): Promise<void> {
    const patch = '{"status":{"canaryStatus":{"currentStepState":"StepReady"}}}'
    const args = ['patch', 'rollout', `rollout-${service}`, '--subresource=status', '--type=merge', '-p', patch]
    await this.kubectl(args)
  }

  /** Waits until an object is as wanted. */
  async until(kind: string, name: string, wanted: (object: any) => boolean): Promise<any> {
    const end = Date.now() + 180_000
    for (;;) {
      const object = await this.get(kind, name)
      if (wanted(object)) return object
      if (Date.now() > end) throw new Error(`${kind} ${name} stays ${JSON.stringify(object.status)}`)
      await new Promise(resolve => setTimeout(resolve, 500))
    }
  }

  async paused(service: string, step: number): Promise<void> {
    const message = `Rollout is in step(${step}/3), and you need manually confirm to enter the next step`
    await this.until('rollout', `rollout-${service}`, ({ status }) => status?.message === message)
  }

  async healthy(service: string, message: string): Promise<void> {
    const name = `rollout-${service}`
    await this.until('rollout', name, ({ status }) => status?.phase === 'Healthy' && status.message === message)
  }

  async routing(phase: string): Promise<void> {
    const name = this.profile === 'mse-ingress' ? 'mse-traffic' : 'lane-traffic'
    await this.until('trafficrouting', name, ({ status }) => status?.phase === phase)
  }

  /** `app version lane` of each pod that is not leaving, of the three services. */
  async pods(): Promise<string[]> {
    const { items } = JSON.parse(await this.kubectl(['get', 'pods', '-o', 'json']))
    return items
      .filter(({ metadata }: any) => /^spring-cloud/.test(metadata.labels.app) && !metadata.deletionTimestamp)
      .map(({ metadata, spec }: any) => {
        const lane = metadata.labels['alicloud.service.tag'] ?? 'base'
        return `${metadata.labels.app} ${spec.containers[0].image.split(':')[1]} ${lane}`
      })
      .sort()
  }
}
