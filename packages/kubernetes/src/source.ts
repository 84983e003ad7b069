import { LanewayError, runInLane } from '@laneway/core'
import type { Source } from '@laneway/discovery'
import type { ClusterAccess } from './access/cluster-access.js'
import { findClusterAccess } from './access/find-cluster.js'
import { NamespaceView } from './namespace/namespace-view.js'
import { type KubernetesSourceOptions, resolveKubernetesSourceOptions } from './options.js'
import { parseServiceName } from './service-name.js'
import { ApiClient } from './watch/api-client.js'

/** A {@link Source} of the Services of a cluster. */
export interface KubernetesSource extends Source {
  readonly name: 'kubernetes'
  /** Follows every EndpointSlice of the own namespace from the first call on. */
  list(listener: (services: ReadonlySet<string>) => void): () => void
  /**
   * Starts to watch the own namespace and settles when the services asked for so far have been listed once, so that a
   * process can refuse to start without its rights. An API server that cannot be reached is waited for.
   * @throws LanewayError `LANEWAY_AUTH` when the API server refuses; the message names the missing verb and resource
   */
  ready(): Promise<void>
}

/**
 * Discovery from EndpointSlices. The lane of an endpoint is read from the labels of its pod, found by uid.
 *
 * Services are named `orders`, or `orders.shop` for another namespace. A namespace is watched from its first
 * subscription to its last; all services of one share two connections. While few services are asked for, only their slices
 * and pods are watched.
 *
 * ```ts
 * const resolver = createLaneResolver({ sources: [createKubernetesSource()] })
 * ```
 *
 * @throws LanewayError `LANEWAY_INVALID_OPTION`; `LANEWAY_SOURCE` when there is no cluster to be found
 */
export function createKubernetesSource(options: KubernetesSourceOptions = {}): KubernetesSource {
  const resolved = resolveKubernetesSourceOptions(options)
  return sourceOf(findClusterAccess(resolved.kubeconfig, resolved.context, resolved.env), resolved)
}

function sourceOf(access: ClusterAccess, options: ReturnType<typeof resolveKubernetesSourceOptions>): KubernetesSource {
  const client = new ApiClient(access, options.requestTimeoutMs)
  const own = options.namespace ?? access.namespace
  const { zone } = options
  const views = new Map<string, { view: NamespaceView; users: number }>()
  const closing = new Set<Promise<void>>()
  let closed = false
  let started: NamespaceView | undefined
  /** Found out by the first list, and shared by all namespaces. */
  const server = { streamsLists: true }

  function use(namespace: string): NamespaceView {
    let entry = views.get(namespace)
    if (entry === undefined) {
      entry = { view: new NamespaceView(namespace, client, options, server), users: 0 }
      views.set(namespace, entry)
    }
    entry.users++
    return entry.view
  }

  function release(namespace: string): void {
    const entry = views.get(namespace)
    if (entry === undefined || --entry.users > 0) return
    views.delete(namespace)
    const end = entry.view.close()
    closing.add(end)
    void end.finally(() => closing.delete(end))
  }

  function using(namespace: string, start: (view: NamespaceView) => () => void): () => void {
    // The caller may be inside a request; what is started here outlives it and belongs to no lane.
    let stop: (() => void) | undefined = runInLane(undefined, () => start(use(namespace)))
    return () => {
      if (stop === undefined) return
      stop()
      stop = undefined
      if (!closed) release(namespace)
    }
  }

  return {
    name: 'kubernetes',
    where: `${access.server.host}, namespace ${own}`,
    caseInsensitive: true,
    ...(zone !== undefined && { zone: () => ({ name: zone, prefer: 'hints' as const }) }),
    listOnRequest: true,
    subscribe(service, listener) {
      const name = parseServiceName(service, own)
      if (closed || name === undefined) {
        if (closed) listener.stale(new LanewayError('LANEWAY_CLOSED', 'the Kubernetes source is closed'))
        else listener.missing()
        return () => {}
      }
      return using(name.namespace, view => view.subscribe(name.name, listener))
    },
    connection() {
      const all = Array.from(views.values(), ({ view }) => view.connection)
      return all.find(one => one?.connected === false) ?? all.find(one => one !== undefined)
    },
    list(listener) {
      return closed ? () => {} : using(own, view => view.list(listener))
    },
    ready() {
      if (closed) return Promise.reject(new LanewayError('LANEWAY_CLOSED', 'the Kubernetes source is closed'))
      // Whoever waits for the start wants the namespace watched from then on.
      started ??= runInLane(undefined, () => use(own))
      return started.ready()
    },
    async close() {
      closed = true
      const ends = Array.from(views.values(), entry => entry.view.close())
      views.clear()
      await Promise.all([...ends, ...closing])
      client.close()
    },
  }
}
