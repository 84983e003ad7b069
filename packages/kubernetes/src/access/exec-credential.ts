import { execFile } from 'node:child_process'
import { LanewayError } from '@laneway/core'
import type { KubeCluster, KubeExec } from './kubeconfig.js'

/** The credential that an exec plugin has printed. */
export interface ExecCredential {
  readonly token: string | undefined
  readonly certificate: string | undefined
  readonly key: string | undefined
}

/** Long enough for a plugin that asks a cloud service. */
const TIMEOUT_MS = 60_000
/** A token is renewed so long before its end, so that no request carries one that has just ended. */
const EARLY_MS = 10_000

/**
 * Runs the credential plugin of a kubeconfig user and keeps the answer until it expires or is refused.
 *
 * @see https://kubernetes.io/docs/reference/access-authn-authz/authentication/#client-go-credential-plugins
 */
export function createExecCredential(
  exec: KubeExec,
  cluster: KubeCluster,
  env: Readonly<Record<string, string | undefined>>,
): (refused: boolean) => Promise<ExecCredential> {
  let kept: ExecCredential | undefined
  let expires = Number.POSITIVE_INFINITY
  let running: Promise<ExecCredential> | undefined
  async function obtain(): Promise<ExecCredential> {
    const { credential, expiration } = readCredential(exec, await runPlugin(exec, cluster, env))
    kept = credential
    expires = expiration
    return credential
  }
  return function execCredential(refused) {
    if (kept !== undefined && !refused && Date.now() < expires - EARLY_MS) return Promise.resolve(kept)
    running ??= obtain().finally(() => {
      running = undefined
    })
    return running
  }
}

function runPlugin(
  exec: KubeExec,
  cluster: KubeCluster,
  env: Readonly<Record<string, string | undefined>>,
): Promise<string> {
  const info = {
    apiVersion: exec.apiVersion ?? 'client.authentication.k8s.io/v1',
    kind: 'ExecCredential',
    spec: {
      interactive: false,
      ...(exec.provideClusterInfo === true
        ? { cluster: { server: cluster.server, 'certificate-authority-data': cluster['certificate-authority-data'] } }
        : {}),
    },
  }
  const added = Object.fromEntries((exec.env ?? []).map(({ name, value }) => [name, value]))
  const options = { env: { ...env, ...added, KUBERNETES_EXEC_INFO: JSON.stringify(info) }, timeout: TIMEOUT_MS }
  return new Promise((resolve, reject) => {
    execFile(exec.command, [...(exec.args ?? [])], options, (error, stdout, stderr) => {
      if (error === null) return resolve(stdout)
      const hint = exec.installHint === undefined ? '' : `; ${exec.installHint.trim()}`
      const said = stderr.trim() === '' ? error.message : stderr.trim().slice(0, 500)
      reject(new LanewayError('LANEWAY_AUTH', `exec plugin ${exec.command} failed: ${said}${hint}`, { cause: error }))
    })
  })
}

function readCredential(exec: KubeExec, output: string): { credential: ExecCredential; expiration: number } {
  let status: Record<string, unknown> | undefined
  try {
    status = (JSON.parse(output) as { status?: Record<string, unknown> }).status
  } catch {
    status = undefined
  }
  const text = (key: string) => (typeof status?.[key] === 'string' ? (status[key] as string) : undefined)
  const credential = { token: text('token'), certificate: text('clientCertificateData'), key: text('clientKeyData') }
  if (credential.token === undefined && credential.certificate === undefined) {
    throw new LanewayError('LANEWAY_AUTH', `exec plugin ${exec.command} printed no ExecCredential with a status`)
  }
  const expiration = Date.parse(text('expirationTimestamp') ?? '')
  return { credential, expiration: Number.isNaN(expiration) ? Number.POSITIVE_INFINITY : expiration }
}
