import { randomBytes } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { Agent, request } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parse, parseAllDocuments } from 'yaml'
import { kubeconfigAccess } from '../../packages/kubernetes/src/access/kubeconfig-access.js'

interface Tap {
  teardown(fn: () => unknown): void
}

/** The API server that `KUBECONFIG` points at, as an administrator sees it. */
export class Kube {
  readonly kubeconfig: string
  readonly namespace = `laneway-test-${randomBytes(4).toString('hex')}`
  readonly #access
  #agent: Agent | undefined

  private constructor(kubeconfig: string) {
    this.kubeconfig = kubeconfig
    this.#access = kubeconfigAccess([kubeconfig], undefined, process.env)
  }

  /** With a namespace of its own, deleted with the test. */
  static async start(t: Tap): Promise<Kube> {
    const kube = new Kube(process.env['KUBECONFIG'] ?? '')
    await kube.call('POST', '/api/v1/namespaces', { metadata: { name: kube.namespace } })
    // The slice controller wants the node of a pod to exist. No kubelet ever comes for it.
    await kube.call('POST', '/api/v1/nodes', { metadata: { name: kube.namespace } })
    t.teardown(async () => {
      await kube.call('DELETE', `/api/v1/namespaces/${kube.namespace}`)
      await kube.call('DELETE', `/api/v1/nodes/${kube.namespace}`)
      kube.#agent?.destroy()
    })
    // Pods are refused until the controller has made their service account.
    while (
      (await kube.call('GET', kube.path('/api/v1', 'serviceaccounts/default')).catch(() => undefined)) === undefined
    ) {
      await new Promise(resolve => setTimeout(resolve, 20))
    }
    return kube
  }

  path(group: string, rest: string): string {
    return `${group}/namespaces/${this.namespace}/${rest}`
  }

  async call(method: string, path: string, body?: unknown, type = 'application/json'): Promise<any> {
    const { tls, headers } = await this.#access.credentials(false)
    this.#agent ??= new Agent({ keepAlive: true, ...tls })
    const agent = this.#agent
    return new Promise((resolve, reject) => {
      const sent = request(
        new URL(path, this.#access.server),
        { method, agent, headers: { ...headers, 'content-type': type } },
        response => {
          const chunks: Buffer[] = []
          response.on('data', chunk => chunks.push(chunk))
          response.on('error', reject)
          response.on('end', () => {
            const text = Buffer.concat(chunks).toString('utf8')
            // What is not the API answers in plain words.
            const answer = /^\s*\{/.test(text) ? JSON.parse(text) : { message: text }
            if ((response.statusCode ?? 500) < 300) resolve(answer)
            else reject(Object.assign(new Error(`${method} ${path}: ${answer.message}`), { code: response.statusCode }))
          })
        },
      )
      sent.on('error', reject)
      sent.end(body === undefined ? undefined : JSON.stringify(body))
    })
  }

  /** A pod on the node without kubelet: nothing runs, on any cluster. */
  pod(name: string, labels: Record<string, string> = {}): Promise<{ metadata: { uid: string; name: string } }> {
    return this.call('POST', this.path('/api/v1', 'pods'), {
      metadata: { name, labels: { app: 'orders', ...labels } },
      spec: {
        nodeName: this.namespace,
        automountServiceAccountToken: false,
        terminationGracePeriodSeconds: 0,
        containers: [{ name: 'main', image: 'none' }],
      },
    })
  }

  label(pod: string, tag: string | null): Promise<unknown> {
    const patch = { metadata: { labels: { 'alicloud.service.tag': tag } } }
    return this.call('PATCH', this.path('/api/v1', `pods/${pod}`), patch, 'application/merge-patch+json')
  }

  /** What a kubelet would report. */
  report(pod: string, ip: string, ready: boolean): Promise<unknown> {
    const conditions = [{ type: 'Ready', status: ready ? 'True' : 'False' }]
    const status = { phase: 'Running', podIP: ip, podIPs: [{ ip }], conditions }
    return this.call('PATCH', this.path('/api/v1', `pods/${pod}/status`), { status }, 'application/merge-patch+json')
  }

  /** An EndpointSlice that no controller touches: `address -> pod`. */
  slice(name: string, service: string, endpoints: { address: string; uid: string; pod: string; ready?: boolean }[]) {
    return {
      metadata: {
        name,
        labels: { 'kubernetes.io/service-name': service, 'endpointslice.kubernetes.io/managed-by': 'laneway-test' },
      },
      addressType: 'IPv4',
      ports: [{ name: 'http', port: 3000, protocol: 'TCP' }],
      endpoints: endpoints.map(({ address, uid, pod, ready = true }) => ({
        addresses: [address],
        conditions: { ready },
        targetRef: { kind: 'Pod', namespace: this.namespace, name: pod, uid },
      })),
    }
  }

  slices(name = ''): string {
    return this.path('/apis/discovery.k8s.io/v1', `endpointslices${name === '' ? '' : `/${name}`}`)
  }

  /** Creates what a manifest holds, in the namespace; `change` may alter each document first. */
  async apply(file: string, change: (document: any) => void = () => {}): Promise<void> {
    for (const one of parseAllDocuments(readFileSync(file, 'utf8'))) {
      const document = one.toJS()
      change(document)
      const plural = `${document.kind.toLowerCase()}s`
      const group = document.apiVersion === 'v1' ? '/api/v1' : `/apis/${document.apiVersion}`
      await this.call('POST', this.path(group, plural), document)
    }
  }

  /** A kubeconfig of a service account, as a pod has it; or of the administrator with this user. */
  async kubeconfigOf(t: Tap, account: string, user?: unknown): Promise<string> {
    const config = parse(readFileSync(this.kubeconfig, 'utf8'))
    const path = this.path('/api/v1', `serviceaccounts/${account}/token`)
    const token = user ?? { token: (await this.call('POST', path, { spec: { expirationSeconds: 3600 } })).status.token }
    const cluster = config.clusters.find(
      (one: any) =>
        one.name === config.contexts.find((two: any) => two.name === config['current-context'])?.context.cluster,
    ).cluster
    const folder = mkdtempSync(join(tmpdir(), 'laneway-kubeconfig-'))
    t.teardown(() => rmSync(folder, { recursive: true, force: true }))
    const file = join(folder, 'config')
    writeFileSync(
      file,
      JSON.stringify({
        'current-context': 'one',
        clusters: [{ name: 'c', cluster }],
        users: [{ name: 'u', user: token }],
        contexts: [{ name: 'one', context: { cluster: 'c', user: 'u', namespace: this.namespace } }],
      }),
    )
    return file
  }
}
