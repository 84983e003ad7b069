import { readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { LanewayError } from '@laneway/core'
import { describe } from '@laneway/core/internal'
import { parse } from 'yaml'

/** A `cluster` of a kubeconfig; file names are absolute. */
export interface KubeCluster {
  readonly server: string
  readonly 'certificate-authority'?: string
  readonly 'certificate-authority-data'?: string
  readonly 'insecure-skip-tls-verify'?: boolean
  readonly 'tls-server-name'?: string
  readonly 'proxy-url'?: string
}

/** The `exec` of a user: a command that prints an ExecCredential. */
export interface KubeExec {
  readonly apiVersion?: string
  /** A name to look for in `PATH`, or an absolute path. */
  readonly command: string
  readonly args?: readonly string[] | null
  readonly env?: readonly { readonly name: string; readonly value: string }[] | null
  readonly installHint?: string
  readonly provideClusterInfo?: boolean
}

/** A `user` of a kubeconfig; file names are absolute. */
export interface KubeUser {
  readonly token?: string
  readonly tokenFile?: string
  readonly 'client-certificate'?: string
  readonly 'client-certificate-data'?: string
  readonly 'client-key'?: string
  readonly 'client-key-data'?: string
  readonly username?: string
  readonly password?: string
  readonly as?: string
  readonly 'as-groups'?: readonly string[]
  readonly exec?: KubeExec
  readonly 'auth-provider'?: unknown
}

/** One context with what it points to. */
export interface KubeContext {
  readonly name: string
  readonly namespace: string | undefined
  readonly cluster: KubeCluster
  readonly user: KubeUser
}

interface Document {
  'current-context'?: string
  clusters?: { name: string; cluster: KubeCluster }[] | null
  users?: { name: string; user: KubeUser }[] | null
  contexts?: { name: string; context: { cluster: string; user?: string; namespace?: string } }[] | null
}

const FILES = ['certificate-authority', 'client-certificate', 'client-key', 'tokenFile']

/**
 * Reads one or several kubeconfig files as kubectl does: the first file that names a thing wins, file names are
 * relative to the file that holds them.
 *
 * @param context - `undefined` for the `current-context`
 * @throws LanewayError `LANEWAY_SOURCE`
 * @see https://kubernetes.io/docs/concepts/configuration/organize-cluster-access-kubeconfig/
 */
export function readKubeconfig(files: readonly string[], context: string | undefined): KubeContext {
  const documents = files.map(readDocument)
  const wanted = context ?? documents.map(one => one['current-context']).find(name => name !== undefined && name !== '')
  if (wanted === undefined) throw refused(files, 'no current-context, and none was asked for')
  const found = documents.flatMap(one => one.contexts ?? []).find(one => one.name === wanted)?.context
  if (found === undefined) throw refused(files, `no context ${describe(wanted)}`)
  const cluster = documents.flatMap(one => one.clusters ?? []).find(one => one.name === found.cluster)?.cluster
  if (cluster === undefined) throw refused(files, `no cluster ${describe(found.cluster)}`)
  const named = found.user ?? ''
  const user = named === '' ? {} : documents.flatMap(one => one.users ?? []).find(one => one.name === named)?.user
  if (user === undefined) throw refused(files, `no user ${describe(named)}`)
  if (typeof cluster.server !== 'string' || !URL.canParse(cluster.server)) {
    throw refused(
      files,
      `cluster ${describe(found.cluster)} has no usable server, received ${describe(cluster.server)}`,
    )
  }
  return { name: wanted, namespace: found.namespace, cluster, user }
}

function readDocument(file: string): Document {
  let document: Document
  try {
    document = (parse(readFileSync(file, 'utf8')) ?? {}) as Document
  } catch (error) {
    throw new LanewayError('LANEWAY_SOURCE', `cannot read the kubeconfig ${file}: ${(error as Error).message}`, {
      cause: error,
    })
  }
  for (const one of document.clusters ?? []) absolute(file, one?.cluster)
  for (const one of document.users ?? []) absolute(file, one?.user)
  return document
}

/** The document was just parsed and is ours to write to. */
function absolute(file: string, entry: object | undefined): void {
  const fields = (entry ?? {}) as Record<string, unknown>
  for (const key of FILES) {
    const value = fields[key]
    if (typeof value === 'string' && value !== '') fields[key] = resolve(dirname(file), value)
  }
  // A name alone is looked for in PATH; what has a separator is a path, as in client-go.
  const exec = fields['exec'] as { command?: unknown } | null | undefined
  if (typeof exec?.command === 'string' && SEPARATOR.test(exec.command)) {
    exec.command = resolve(dirname(file), exec.command)
  }
}

const SEPARATOR = process.platform === 'win32' ? /[\\/]/ : /\//

function refused(files: readonly string[], why: string): LanewayError {
  return new LanewayError('LANEWAY_SOURCE', `kubeconfig ${files.join(', ')}: ${why}`)
}
