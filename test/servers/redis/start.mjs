// A real Redis on loopback that keeps nothing on disk.
//   node test/servers/redis/start.mjs      prints a line of JSON, stays until SIGTERM
import { fileURLToPath } from 'node:url'
import { findProgram } from '../debian.mjs'
import { freePorts, launch, ownFolder, stayUntilEnded } from '../loopback-server.mjs'

/** Why there is no Redis, or undefined when there is. */
export function findRedis() {
  return findProgram('redis-server', 'redis-server')
}

/** Starts it. Resolves with `{ host, port, url, pid, stop }`. */
export async function startRedis() {
  const [port] = await freePorts(1)
  const { folder } = ownFolder('redis')
  // BullMQ warns of every other eviction policy.
  const args = ['--bind', '127.0.0.1', '--port', `${port}`, '--save', '', '--maxmemory-policy', 'noeviction']
  const server = await launch('redis-server', folder, 'redis-server', [...args, '--dir', folder], { port })
  return { host: '127.0.0.1', port, url: `redis://127.0.0.1:${port}`, ...server }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const problem = findRedis()
  if (problem !== undefined) throw new Error(problem)
  await stayUntilEnded(startRedis())
}
