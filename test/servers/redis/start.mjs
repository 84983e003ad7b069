// A real Redis on loopback that keeps nothing on disk, or everything.
//   node test/servers/redis/start.mjs      prints a line of JSON, stays until SIGTERM
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { findProgram } from '../debian.mjs'
import { freePorts, launch, ownFolder, stayUntilEnded } from '../loopback-server.mjs'

/** Why there is no Redis, or undefined when there is. */
export function findRedis() {
  return findProgram('redis-server', 'redis-server')
}

/**
 * Starts it. Resolves with `{ host, port, url, pid, stop, restart }`.
 *
 * @param {{ durable?: boolean }} [options] - `durable`: every write is on disk before it is answered, so that
 * `restart()`, which kills the server, brings it back on its port with its data
 */
export async function startRedis({ durable = false } = {}) {
  const [port] = await freePorts(1)
  const { folder } = ownFolder('redis')
  // BullMQ warns of every other eviction policy.
  const args = ['--bind', '127.0.0.1', '--port', `${port}`, '--save', '', '--maxmemory-policy', 'noeviction']
  if (durable) args.push('--appendonly', 'yes', '--appendfsync', 'always')
  const start = () => launch('redis-server', folder, 'redis-server', [...args, '--dir', folder], { port })
  let server = await start()
  async function restart(awayMs = 0) {
    process.kill(server.pid, 'SIGKILL')
    await server.gone
    await sleep(awayMs)
    server = await start()
  }
  return {
    host: '127.0.0.1',
    port,
    url: `redis://127.0.0.1:${port}`,
    get pid() {
      return server.pid
    },
    stop: () => server.stop(),
    restart,
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const problem = findRedis()
  if (problem !== undefined) throw new Error(problem)
  await stayUntilEnded(startRedis())
}
