import { findKafka, startKafka } from '../../servers/kafka/start.mjs'

export async function start() {
  const missing = await findKafka()
  if (missing !== undefined) return { missing }
  const { stop, address, port } = await startKafka()
  return { resource: { address, port }, stop }
}
