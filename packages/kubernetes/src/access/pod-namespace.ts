import { readFileSync } from 'node:fs'
import { join } from 'node:path'

/** Where the kubelet puts the service account of a pod. */
export const SERVICE_ACCOUNT_FOLDER = '/var/run/secrets/kubernetes.io/serviceaccount'

/**
 * The namespace of this process: `POD_NAMESPACE`, else that of the mounted service account, else `default`. The resolver
 * reads it in the same way, so that both mean the same service by `orders`.
 */
export function podNamespace(
  env: Readonly<Record<string, string | undefined>>,
  folder = SERVICE_ACCOUNT_FOLDER,
): string {
  const set = env['POD_NAMESPACE']?.trim() ?? ''
  if (set !== '') return set
  try {
    return readFileSync(join(folder, 'namespace'), 'utf8').trim() || 'default'
  } catch {
    return 'default'
  }
}
