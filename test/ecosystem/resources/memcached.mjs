import { findMemcached, startMemcached } from '../../servers/memcached/start.mjs'

export async function start() {
  const missing = findMemcached()
  if (missing !== undefined) return { missing }
  const { stop, ...resource } = await startMemcached()
  return { resource, stop }
}
