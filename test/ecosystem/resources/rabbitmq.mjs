import { findRabbitmq, startRabbitmq } from '../../servers/rabbitmq/start.mjs'

export async function start() {
  const missing = findRabbitmq()
  if (missing !== undefined) return { missing }
  const { stop, ...resource } = await startRabbitmq()
  return { resource, stop }
}
