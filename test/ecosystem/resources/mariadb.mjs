import { findMariadb, startMariadb } from '../../servers/mariadb/start.mjs'

export async function start() {
  const missing = findMariadb()
  if (missing !== undefined) return { missing }
  const { stop, ...resource } = await startMariadb('')
  return { resource, stop }
}
