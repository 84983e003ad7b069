import { findFerretdb, startFerretdb } from '../../servers/ferretdb/start.mjs'

export async function start() {
  const missing = findFerretdb()
  if (missing !== undefined) return { missing }
  const { stop, ...resource } = await startFerretdb()
  return { resource, stop }
}
