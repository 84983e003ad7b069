import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { ClusterAccess } from './cluster-access.js'
import { podNamespace, SERVICE_ACCOUNT_FOLDER } from './pod-namespace.js'

/**
 * The service account of the pod that this process runs in. Token and CA are read again for each connection, because the
 * kubelet replaces them (a token lives for an hour by default).
 *
 * @param folder - of the service account
 * @returns `undefined` outside a pod
 * @see https://kubernetes.io/docs/tasks/run-application/access-api-from-pod/
 */
export function inClusterAccess(
  env: Readonly<Record<string, string | undefined>>,
  folder = SERVICE_ACCOUNT_FOLDER,
): ClusterAccess | undefined {
  const host = env['KUBERNETES_SERVICE_HOST'] ?? ''
  const token = join(folder, 'token')
  if (host === '' || !existsSync(token)) return undefined
  const port = env['KUBERNETES_SERVICE_PORT'] ?? '443'
  return {
    server: new URL(`https://${host.includes(':') ? `[${host}]` : host}:${port}`),
    namespace: podNamespace(env, folder),
    async credentials() {
      const [bearer, ca] = await Promise.all([readFile(token, 'utf8'), readFile(join(folder, 'ca.crt'))])
      return { tls: { ca }, headers: { authorization: `Bearer ${bearer.trim()}` } }
    },
  }
}
