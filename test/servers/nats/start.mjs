// A real NATS on loopback, with JetStream.
//   node test/servers/nats/start.mjs      prints a line of JSON, stays until SIGTERM
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { findProgram } from '../debian.mjs'
import { freePorts, launch, ownFolder, stayUntilEnded } from '../loopback-server.mjs'

/** Why there is no NATS, or undefined when there is. */
export function findNats() {
  return findProgram('nats-server', 'nats-server')
}

/** Starts it. Resolves with `{ host, port, address, pid, stop }`. */
export async function startNats() {
  const [port] = await freePorts(1)
  const { folder } = ownFolder('nats')
  const args = ['-a', '127.0.0.1', '-p', `${port}`, '-js', '-sd', join(folder, 'jetstream')]
  const server = await launch('nats-server', folder, 'nats-server', args, { port })
  return { host: '127.0.0.1', port, address: `127.0.0.1:${port}`, ...server }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const problem = findNats()
  if (problem !== undefined) throw new Error(problem)
  await stayUntilEnded(startNats())
}
