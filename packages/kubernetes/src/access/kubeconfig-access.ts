import { readFile } from 'node:fs/promises'
import { LanewayError } from '@laneway/core'
import type { ClusterAccess, Credentials, TlsMaterial } from './cluster-access.js'
import { createExecCredential, type ExecCredential } from './exec-credential.js'
import { type KubeCluster, type KubeContext, type KubeUser, readKubeconfig } from './kubeconfig.js'
import { podNamespace } from './pod-namespace.js'

/**
 * Access through a kubeconfig: token, token file, client certificate, exec plugin, basic auth, impersonation. Files that
 * it names are read again for each connection.
 *
 * @throws LanewayError `LANEWAY_SOURCE` for a file or a way of authentication that cannot be used
 */
export function kubeconfigAccess(
  files: readonly string[],
  contextName: string | undefined,
  env: Readonly<Record<string, string | undefined>>,
): ClusterAccess {
  const context = readKubeconfig(files, contextName)
  const { cluster, user } = context
  refuseUnsupported(context)
  const exec = user.exec === undefined ? undefined : createExecCredential(user.exec, cluster, env)
  return {
    server: new URL(cluster.server),
    namespace: context.namespace || podNamespace(env),
    async credentials(refused): Promise<Credentials> {
      const given = await exec?.(refused)
      return { tls: await tlsOf(cluster, user, given), headers: await headersOf(user, given) }
    },
  }
}

function refuseUnsupported({ name, cluster, user }: KubeContext): void {
  const no = (what: string, instead: string) => {
    throw new LanewayError(
      'LANEWAY_SOURCE',
      `kubeconfig context "${name}" uses ${what}, which is not supported; ${instead}`,
    )
  }
  if (user['auth-provider'] !== undefined) no('auth-provider', 'use its exec plugin, as kubectl since 1.26')
  if (cluster['proxy-url'] !== undefined) no('proxy-url', 'reach the API server directly or through kubectl proxy')
}

async function tlsOf(cluster: KubeCluster, user: KubeUser, given: ExecCredential | undefined): Promise<TlsMaterial> {
  const ca = await material(cluster['certificate-authority-data'], cluster['certificate-authority'])
  const cert = given?.certificate ?? (await material(user['client-certificate-data'], user['client-certificate']))
  const key = given?.key ?? (await material(user['client-key-data'], user['client-key']))
  return {
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
    ...(cluster['tls-server-name'] === undefined ? {} : { servername: cluster['tls-server-name'] }),
    ...(cluster['insecure-skip-tls-verify'] === true ? { rejectUnauthorized: false } : {}),
  }
}

/** Data in the file goes before a file name, as in kubectl. */
async function material(data: string | undefined, file: string | undefined): Promise<Buffer | undefined> {
  if (data !== undefined && data !== '') return Buffer.from(data, 'base64')
  return file === undefined || file === '' ? undefined : readFile(file)
}

async function headersOf(user: KubeUser, given: ExecCredential | undefined): Promise<Record<string, string>> {
  const headers: Record<string, string> = {}
  const token = given?.token ?? user.token ?? (user.tokenFile ? (await readFile(user.tokenFile, 'utf8')).trim() : '')
  if (token !== '') headers['authorization'] = `Bearer ${token}`
  else if (user.username !== undefined) {
    headers['authorization'] = `Basic ${Buffer.from(`${user.username}:${user.password ?? ''}`).toString('base64')}`
  }
  if (user.as !== undefined) headers['impersonate-user'] = user.as
  if (user['as-groups'] !== undefined) headers['impersonate-group'] = user['as-groups'].join(', ')
  return headers
}
