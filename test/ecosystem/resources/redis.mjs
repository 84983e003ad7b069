import { findRedis, startRedis } from '../../servers/redis/start.mjs'

export async function start() {
  const missing = findRedis()
  if (missing !== undefined) return { missing }
  const { stop, ...resource } = await startRedis()
  return { resource, stop }
}
