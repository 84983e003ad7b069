// A real MariaDB on loopback, in a folder of its own, never as root.
//   node test/servers/mariadb/start.mjs      prints a line of JSON, stays until SIGTERM
import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { chownSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { findProgram } from '../debian.mjs'
import { stayUntilEnded } from '../loopback-server.mjs'

const READY_WITHIN_MS = 60_000

/** Why there is no MariaDB, or undefined when there is. */
export function findMariadb() {
  return findProgram('mariadbd', 'mariadb-server')
}

/** Starts it with the database `demo`, filled by the SQL, and the user `demo` with the password `demo`. */
export async function startMariadb(sql) {
  const dir = mkdtempSync(join(tmpdir(), 'laneway-mariadb-'))
  const data = join(dir, 'data')
  const socket = join(dir, 'socket')
  mkdirSync(data)
  const as = process.getuid() === 0 ? idsOf('mysql') : {}
  if (as.uid !== undefined) for (const one of [dir, data]) chownSync(one, as.uid, as.gid)
  const common = ['--no-defaults', `--datadir=${data}`]
  execFileSync(
    'mariadb-install-db',
    [...common, '--auth-root-authentication-method=normal', '--skip-test-db', `--tmpdir=${dir}`],
    { ...as, stdio: ['ignore', 'ignore', 'pipe'] },
  )
  const port = await freePort()
  const child = spawn(
    'mariadbd',
    [
      ...[...common, '--bind-address=127.0.0.1', `--port=${port}`, `--socket=${socket}`, `--tmpdir=${dir}`],
      ...[`--pid-file=${join(dir, 'pid')}`, '--innodb-buffer-pool-size=16M', '--innodb-log-file-size=8M'],
    ],
    { ...as, stdio: ['ignore', 'ignore', 'pipe'] },
  )
  let log = ''
  child.stderr.on('data', chunk => {
    log = (log + chunk).slice(-2_000)
  })
  const gone = new Promise(resolve => child.on('close', resolve))
  async function stop() {
    child.kill('SIGTERM')
    await gone
    rmSync(dir, { recursive: true, force: true })
  }
  const run = text =>
    spawnSync('mariadb', ['--no-defaults', `--socket=${socket}`, '--user=root'], { input: text, encoding: 'utf8' })
  const end = Date.now() + READY_WITHIN_MS
  while (run('SELECT 1').status !== 0) {
    if (child.exitCode !== null || Date.now() > end) {
      await stop()
      throw new Error(`mariadbd does not start: ${log}`)
    }
    await sleep(100)
  }
  const { status, stderr } = run(`
    CREATE DATABASE demo; CREATE USER demo@'%' IDENTIFIED BY 'demo'; GRANT ALL ON demo.* TO demo@'%'; USE demo; ${sql}`)
  if (status !== 0) {
    await stop()
    throw new Error(`mariadb: ${stderr}`)
  }
  return { url: `mysql://demo:demo@127.0.0.1:${port}/demo`, uid: as.uid ?? process.getuid(), stop }
}

function idsOf(user) {
  const [uid, gid] = ['-u', '-g'].map(flag => Number(execFileSync('id', [flag, user], { encoding: 'utf8' })))
  return { uid, gid }
}

function freePort() {
  const server = createServer()
  return new Promise(resolve => {
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address()
      server.close(() => resolve(port))
    })
  })
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const problem = findMariadb()
  if (problem !== undefined) throw new Error(problem)
  await stayUntilEnded(startMariadb(''))
}
