import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { delimiter, dirname, join, resolve } from 'node:path'
import { KubeConfig } from '@kubernetes/client-node'

const SEPARATOR = process.platform === 'win32' ? /[\\/]/ : /\//

/**
 * Makes the commands of exec plugins absolute. As in kubectl, a relative path is relative to the kubeconfig that holds it;
 * the client library would start it from the working directory, where another program may have that name.
 *
 * @param config - loaded; its users are changed
 */
export function resolvePluginPaths(
  config: KubeConfig,
  kubeconfig: string | undefined,
  env: Readonly<Record<string, string | undefined>>,
): void {
  const relative = config.users.filter(({ exec }) => isPath(exec))
  if (relative.length === 0) return
  const folders = new Map<string, string>()
  for (const file of filesOf(kubeconfig, env)) {
    const one = new KubeConfig()
    one.loadFromFile(file)
    // The first file that names a user wins.
    for (const { name } of one.users) if (!folders.has(name)) folders.set(name, dirname(file))
  }
  for (const user of relative) {
    const exec = user.exec as { command: string }
    const folder = folders.get(user.name)
    if (folder !== undefined) exec.command = resolve(folder, exec.command)
  }
}

function isPath(exec: unknown): boolean {
  const command = (exec as { command?: unknown } | null | undefined)?.command
  return typeof command === 'string' && SEPARATOR.test(command)
}

function filesOf(kubeconfig: string | undefined, env: Readonly<Record<string, string | undefined>>): string[] {
  if (kubeconfig !== undefined) return [kubeconfig]
  const listed = (env['KUBECONFIG'] ?? '').split(delimiter).filter(Boolean)
  return (listed.length > 0 ? listed : [join(homedir(), '.kube', 'config')]).filter(file => existsSync(file))
}
