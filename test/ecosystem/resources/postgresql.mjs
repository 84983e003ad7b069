import { findPostgresql, startPostgresql } from '../../servers/postgresql/start.mjs'

export async function start() {
  const missing = findPostgresql()
  if (missing !== undefined) return { missing }
  const { stop, ...resource } = await startPostgresql()
  return { resource, stop }
}
