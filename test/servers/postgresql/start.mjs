// A real PostgreSQL on loopback, in a folder of its own, never as root.
//   node test/servers/postgresql/start.mjs      prints a line of JSON, stays until SIGTERM
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { findProgram } from '../debian.mjs'
import { freePorts, launch, ownFolder, stayUntilEnded } from '../loopback-server.mjs'

/** Where Debian puts the programs of each version, which are not on the PATH. */
const VERSIONS = '/usr/lib/postgresql'

/** Why there is no PostgreSQL, or undefined when there is. */
export function findPostgresql() {
  if (binFolder() !== undefined) return undefined
  return findProgram('pg_config', 'postgresql') ?? (binFolder() === undefined ? 'no initdb in the package' : undefined)
}

/** Starts it with the database `demo`, filled by the SQL, and the user `demo` who needs no password. */
export async function startPostgresql(sql = '') {
  const bin = binFolder()
  const { folder, as } = ownFolder('postgresql', 'postgres')
  const data = join(folder, 'data')
  const [port] = await freePorts(1)
  const stdio = ['ignore', 'ignore', 'pipe']
  const make = ['-D', data, '-U', 'demo', '-A', 'trust', '--no-sync', '--locale=C', '--encoding=UTF8']
  execFileSync(join(bin, 'initdb'), make, { ...as, cwd: folder, stdio })
  const settings = [
    'fsync=off',
    'shared_buffers=16MB',
    'listen_addresses=127.0.0.1',
    `unix_socket_directories=${folder}`,
  ]
  const args = ['-D', data, '-p', `${port}`, ...settings.flatMap(one => ['-c', one])]
  const psql = (database, text) =>
    spawnSync(join(bin, 'psql'), ['-h', folder, '-p', `${port}`, '-U', 'demo', '-v', 'ON_ERROR_STOP=1', database], {
      input: text,
      encoding: 'utf8',
    })
  const ready = () => psql('postgres', 'SELECT 1').status === 0
  const server = await launch('postgres', folder, join(bin, 'postgres'), args, { as, ready })
  for (const [database, text] of [
    ['postgres', 'CREATE DATABASE demo'],
    ['demo', sql],
  ]) {
    const { status, stderr } = psql(database, text)
    if (status === 0) continue
    await server.stop()
    throw new Error(`psql: ${stderr}`)
  }
  return { host: '127.0.0.1', port, url: `postgres://demo@127.0.0.1:${port}/demo`, ...server }
}

function binFolder() {
  if (!existsSync(VERSIONS)) return undefined
  const folders = readdirSync(VERSIONS).map(version => join(VERSIONS, version, 'bin'))
  return folders.filter(folder => existsSync(join(folder, 'initdb'))).pop()
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const problem = findPostgresql()
  if (problem !== undefined) throw new Error(problem)
  await stayUntilEnded(startPostgresql())
}
