import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { delimiter, join } from 'node:path'
import { LanewayError } from '@laneway/core'
import type { ClusterAccess } from './cluster-access.js'
import { inClusterAccess } from './in-cluster.js'
import { kubeconfigAccess } from './kubeconfig-access.js'

/**
 * Finds the cluster. The first of these that exists is used:
 * 1. the file `kubeconfig`
 * 2. the files in `KUBECONFIG`
 * 3. the service account of the pod
 * 4. `~/.kube/config`
 *
 * Its namespace is that of the kubeconfig's context, else `POD_NAMESPACE`, else that of the pod's service account, else
 * `default`.
 *
 * ```ts
 * const access = findClusterAccess(undefined, undefined, process.env)
 * const { tls, headers } = await access.credentials(false)
 * ```
 *
 * @param context - of a kubeconfig; `undefined` for its current-context
 * @throws LanewayError `LANEWAY_SOURCE` when there is none, or it cannot be used
 */
export function findClusterAccess(
  kubeconfig: string | undefined,
  context: string | undefined,
  env: Readonly<Record<string, string | undefined>>,
): ClusterAccess {
  const files = (kubeconfig ?? env['KUBECONFIG'] ?? '').split(delimiter).filter(Boolean)
  if (files.length > 0) return kubeconfigAccess(files, context, env)
  const inside = inClusterAccess(env)
  if (inside !== undefined) return inside
  const home = join(homedir(), '.kube', 'config')
  if (existsSync(home)) return kubeconfigAccess([home], context, env)
  throw new LanewayError(
    'LANEWAY_SOURCE',
    `no cluster found: not in a pod (KUBERNETES_SERVICE_HOST is not set), KUBECONFIG is not set and ${home} does not exist`,
  )
}
