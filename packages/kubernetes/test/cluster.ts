import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createKubernetesSource, type KubernetesSource, type KubernetesSourceOptions } from '@laneway/kubernetes'
import { KubernetesApi, SourceReports } from '@laneway/testkit'

export const PODS = '/api/v1/namespaces/shop/pods'
export const SLICES = '/apis/discovery.k8s.io/v1/namespaces/shop/endpointslices'
export const SERVICES = '/api/v1/namespaces/shop/services'

interface Tap {
  teardown(fn: () => unknown): void
}

export function writeFile(t: Tap, name: string, content: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'laneway-kubernetes-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  writeFileSync(join(folder, name), content)
  return join(folder, name)
}

export interface SliceSpec {
  service?: string
  labels?: Record<string, string>
  ports?: { name?: string; port: number; protocol?: string }[]
  family?: string
  /** address -> pod uid, or the whole endpoint. */
  endpoints: Record<string, string | Record<string, unknown>>
}

/** A test kit API server with a source beside it. */
export class Cluster {
  readonly warnings: string[] = []
  readonly api: KubernetesApi
  readonly #t: Tap

  constructor(t: Tap, api: KubernetesApi) {
    this.#t = t
    this.api = api
  }

  static async start(t: Tap): Promise<Cluster> {
    return new Cluster(t, await KubernetesApi.start(t))
  }

  source(options: KubernetesSourceOptions = {}): KubernetesSource {
    const source = this.open(options)
    this.#t.teardown(() => source.close())
    return source
  }

  /** A source that the caller closes. */
  open(options: KubernetesSourceOptions = {}): KubernetesSource {
    return createKubernetesSource({
      kubeconfig: writeFile(this.#t, 'config', this.api.kubeconfig('shop')),
      minBackoffMs: 2,
      maxBackoffMs: 20,
      coalesceMs: 1,
      warn: message => this.warnings.push(message),
      ...options,
    })
  }

  /** Lists of a collection so far, whether they came by themselves or as the beginning of a watch. */
  lists(path: string): number {
    const begins = (query: URLSearchParams) => !query.has('watch') || query.has('sendInitialEvents')
    return this.api.requests.filter(one => one.path === path && begins(one.query)).length
  }

  watch(service: string, options: KubernetesSourceOptions = {}): SourceReports {
    const seen = new SourceReports()
    this.source(options).subscribe(service, seen.listener)
    return seen
  }

  pod(uid: string, tag?: string, more: Record<string, unknown> = {}): void {
    const labels = { app: 'orders', ...(tag === undefined ? {} : { 'alicloud.service.tag': tag }) }
    this.api.store.put(PODS, { metadata: { name: `pod-${uid}`, uid, labels, ...more }, spec: { big: 'x'.repeat(100) } })
  }

  /** A Service with a selector, unless there is one. */
  service(name: string, selector: Record<string, string> = { app: 'orders' }): void {
    if (this.api.store.get(SERVICES, name) === undefined)
      this.api.store.put(SERVICES, { metadata: { name }, spec: { selector } })
  }

  slice(name: string, { service = 'orders', labels = {}, ports, family = 'IPv4', endpoints }: SliceSpec): void {
    this.service(service)
    this.api.store.put(SLICES, {
      metadata: { name, labels: { 'kubernetes.io/service-name': service, ...labels } },
      addressType: family,
      ports: ports ?? [{ name: 'http', port: 80, protocol: 'TCP' }],
      endpoints: Object.entries(endpoints).map(([address, pod]) =>
        typeof pod === 'string'
          ? {
              addresses: [address],
              conditions: { ready: true },
              targetRef: { kind: 'Pod', uid: pod, name: `pod-${pod}` },
            }
          : { addresses: [address], ...pod },
      ),
    })
  }
}
