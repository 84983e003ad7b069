// A real memcached on loopback.
//   node test/servers/memcached/start.mjs      prints a line of JSON, stays until SIGTERM
import { fileURLToPath } from 'node:url'
import { findProgram } from '../debian.mjs'
import { freePorts, launch, ownFolder, stayUntilEnded } from '../loopback-server.mjs'

/** Why there is no memcached, or undefined when there is. */
export function findMemcached() {
  return findProgram('memcached', 'memcached')
}

/** Starts it. Resolves with `{ host, port, address, pid, stop }`. */
export async function startMemcached() {
  const [port] = await freePorts(1)
  const { folder } = ownFolder('memcached')
  const args = ['-l', '127.0.0.1', '-p', `${port}`, '-U', '0', '-m', '16', '-t', '2']
  // As root it asks for the user to become.
  if (process.getuid() === 0) args.push('-u', 'nobody')
  const server = await launch('memcached', folder, 'memcached', args, { port })
  return { host: '127.0.0.1', port, address: `127.0.0.1:${port}`, ...server }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const problem = findMemcached()
  if (problem !== undefined) throw new Error(problem)
  await stayUntilEnded(startMemcached())
}
