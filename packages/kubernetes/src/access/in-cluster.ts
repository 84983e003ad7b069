import { existsSync, readFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { ClusterAccess } from './cluster-access.js'

/** Where the kubelet puts the service account of a pod. */
export const SERVICE_ACCOUNT_FOLDER = '/var/run/secrets/kubernetes.io/serviceaccount'

/**
 * The service account of the pod this process runs in. Token and CA are read again for each connection, because the
 * kubelet replaces them (tokens live an hour by default).
 *
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
    namespace: readNamespace(join(folder, 'namespace')),
    async credentials() {
      const [bearer, ca] = await Promise.all([readFile(token, 'utf8'), readFile(join(folder, 'ca.crt'))])
      return { tls: { ca }, headers: { authorization: `Bearer ${bearer.trim()}` } }
    },
  }
}

function readNamespace(file: string): string {
  try {
    return readFileSync(file, 'utf8').trim() || 'default'
  } catch {
    return 'default'
  }
}
