import { readFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { runInLane } from '../context/context.js'
import type { Warn } from '../warning.js'

/** A mesh whose sidecar runs beside this process. */
export type ServiceMesh = 'Istio' | 'Linkerd'

/**
 * The ports on which the proxies take over the connections of a pod, out and in. A container sees them: it shares the
 * network of its pod. Both have to be there, since a program may use one of them.
 * @see https://istio.io/latest/docs/ops/deployment/application-requirements/#ports-used-by-istio
 * @see https://linkerd.io/2/reference/proxy-configuration/
 */
const PORTS: Readonly<Record<ServiceMesh, readonly number[]>> = { Istio: [15_001, 15_006], Linkerd: [4_140, 4_143] }
/** What their injectors write into the annotations of a pod, which the downward API may mount. */
const ANNOTATIONS: Readonly<Record<ServiceMesh, RegExp>> = {
  Istio: /^sidecar\.istio\.io\/status=/m,
  Linkerd: /^linkerd\.io\/proxy-version=/m,
}
const SOCKETS = ['/proc/net/tcp', '/proc/net/tcp6']
const POD_ANNOTATIONS = '/etc/podinfo/annotations'
/** A sidecar may start after the program: it is looked for at once, and once more. */
const SECOND_LOOK_MS = 10_000
/** State of a listening socket in `/proc/net/tcp`. */
const LISTEN = '0A'

/** Says which sidecar the listening sockets and the annotations of a pod show. Never throws. */
export function meshOf(sockets: string, annotations: string): ServiceMesh | undefined {
  const ports = new Set<number>()
  for (const line of sockets.split('\n')) {
    const [, local = '', , state] = line.trim().split(/\s+/)
    if (state === LISTEN) ports.add(Number.parseInt(local.slice(local.lastIndexOf(':') + 1), 16))
  }
  for (const mesh of ['Istio', 'Linkerd'] as const) {
    if (PORTS[mesh].every(port => ports.has(port)) || ANNOTATIONS[mesh].test(annotations)) return mesh
  }
  return undefined
}

/** Looks for a sidecar. Never throws; outside of Linux there is none. */
export async function detectMesh(): Promise<ServiceMesh | undefined> {
  const read = (path: string) => readFile(path, 'latin1').catch(() => '')
  const [annotations, ...sockets] = await Promise.all([POD_ANNOTATIONS, ...SOCKETS].map(read))
  return meshOf(sockets.join('\n'), annotations ?? '')
}

let isLookedFor = false

/** Warns once a process when calls are resolved beside a sidecar, which would choose an instance again. */
export function warnBesideMesh(warn: Warn): void {
  if (isLookedFor) return
  isLookedFor = true
  void runInLane(undefined, async () => {
    let mesh = await detectMesh()
    if (mesh === undefined) {
      await sleep(SECOND_LOOK_MS, undefined, { ref: false })
      mesh = await detectMesh()
    }
    if (mesh === undefined) return
    warn(
      `a sidecar of ${mesh} runs in this pod, and Laneway chooses instances itself: the sidecar may send a call to another ` +
        'instance, of another lane, or refuse the address. Set resolve: false (LANEWAY_RESOLVE=0), so that Laneway carries the ' +
        'tag and the mesh routes by it; docs/guides/service-mesh.md says how',
    )
  })
}
