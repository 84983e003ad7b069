import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { delimiter, join } from 'node:path'
import { LanewayError } from '@laneway/core'
import { inClusterAccess } from './in-cluster.js'
import { kubeconfigAccess } from './kubeconfig-access.js'

/** TLS material of one connection, in the terms of `tls.connect`. */
export interface TlsMaterial {
  readonly ca?: string | Buffer
  readonly cert?: string | Buffer
  readonly key?: string | Buffer
  readonly servername?: string
  readonly rejectUnauthorized?: boolean
}

/** What a request needs beside its path. */
export interface Credentials {
  readonly tls: TlsMaterial
  readonly headers: Readonly<Record<string, string>>
}

/** Where the API server is and how to be let in. */
export interface ClusterAccess {
  /** `https://host:port`, or with a path in front of the API. */
  readonly server: URL
  /** The namespace of this process or context. */
  readonly namespace: string
  /**
   * Reads the credentials, anew each time: tokens and certificates are replaced while a process runs.
   * @param refused - the last ones were refused, so a cached one must not be used again
   */
  credentials(refused: boolean): Promise<Credentials>
}

/**
 * Finds the cluster: the given file, `KUBECONFIG`, the service account of the pod, `~/.kube/config`.
 *
 * @throws LanewayError `LANEWAY_SOURCE` when there is none, or it cannot be used
 */
export function findClusterAccess(
  kubeconfig: string | undefined,
  context: string | undefined,
  env: Readonly<Record<string, string | undefined>>,
): ClusterAccess {
  const listed = kubeconfig ?? env['KUBECONFIG'] ?? ''
  if (listed !== '') return kubeconfigAccess(listed.split(delimiter).filter(Boolean), context, env)
  const inside = inClusterAccess(env)
  if (inside !== undefined) return inside
  const home = join(homedir(), '.kube', 'config')
  if (existsSync(home)) return kubeconfigAccess([home], context, env)
  throw new LanewayError(
    'LANEWAY_SOURCE',
    `no cluster found: not in a pod (KUBERNETES_SERVICE_HOST is not set), KUBECONFIG is not set and ${home} does not exist`,
  )
}
