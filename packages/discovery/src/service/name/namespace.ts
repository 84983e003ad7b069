import { readFileSync } from 'node:fs'

const SERVICE_ACCOUNT = '/var/run/secrets/kubernetes.io/serviceaccount/namespace'

/** The Kubernetes namespace of this process, `default` outside of a cluster. */
export function detectNamespace(env: Readonly<Record<string, string | undefined>>): string {
  const set = env['POD_NAMESPACE']?.trim()
  if (set !== undefined && set !== '') return set
  try {
    const mounted = readFileSync(SERVICE_ACCOUNT, 'utf8').trim()
    if (mounted !== '') return mounted
  } catch {
    // Not in a cluster, or no service account is mounted.
  }
  return 'default'
}
