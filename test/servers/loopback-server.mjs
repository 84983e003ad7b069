// One server program on loopback with a folder of its own: started, waited for, ended, its folder removed.
import { execFileSync, spawn } from 'node:child_process'
import { chownSync, mkdtempSync, rmSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

const READY_WITHIN_MS = 120_000
const ENDS_WITHIN_MS = 15_000

/** Makes the folder; it belongs to the Debian user where this process is root, because servers refuse to run as root. */
export function ownFolder(name, user) {
  const folder = mkdtempSync(join(tmpdir(), `laneway-${name}-`))
  const as = user !== undefined && process.getuid() === 0 ? idsOf(user) : {}
  if (as.uid !== undefined) chownSync(folder, as.uid, as.gid)
  return { folder, as }
}

/**
 * Starts the program and waits until the port answers, or until `ready` says so.
 *
 * @returns `{ pid, stop, gone }`; `gone` resolves when the process has ended, whoever ended it
 */
export async function launch(name, folder, program, args, { as = {}, env = process.env, port, ready } = {}) {
  // A process group of its own: some of these programs are scripts with the server as their child.
  const child = spawn(program, args, { ...as, env, cwd: folder, detached: true, stdio: ['ignore', 'pipe', 'pipe'] })
  let log = ''
  for (const pipe of [child.stdout, child.stderr]) pipe.on('data', chunk => (log = (log + chunk).slice(-2_000)))
  const gone = new Promise(resolve => child.on('close', resolve).on('error', resolve))
  const kill = () => {
    if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return
    process.kill(-child.pid, 'SIGKILL')
  }
  process.once('exit', kill)
  async function stop() {
    process.off('exit', kill)
    child.kill('SIGTERM')
    const patience = setTimeout(kill, ENDS_WITHIN_MS)
    await gone
    clearTimeout(patience)
    rmSync(folder, { recursive: true, force: true })
  }
  const until = Date.now() + READY_WITHIN_MS
  while (!(await (ready?.() ?? answers(port)))) {
    if (child.exitCode !== null || child.pid === undefined || Date.now() > until) {
      await stop()
      throw new Error(`${name} does not start: ${log}`)
    }
    await sleep(100)
  }
  return { pid: child.pid, stop, gone }
}

/** Ports that nothing listens on now. */
export async function freePorts(count) {
  const servers = Array.from({ length: count }, () => createServer())
  await Promise.all(servers.map(server => new Promise(resolve => server.listen(0, '127.0.0.1', resolve))))
  const ports = servers.map(server => server.address().port)
  await Promise.all(servers.map(server => new Promise(resolve => server.close(resolve))))
  return ports
}

/** For a start program: prints a line of JSON and stays until it is told to end. */
export async function stayUntilEnded(starting) {
  const { stop, ...told } = await starting
  console.log(JSON.stringify(told))
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => void stop().then(() => process.exit(0)))
}

/** Whether something listens on a port of loopback. */
export function answers(port) {
  return new Promise(resolve => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy()
      resolve(true)
    })
    socket.on('error', () => resolve(false))
  })
}

function idsOf(user) {
  const [uid, gid] = ['-u', '-g'].map(flag => Number(execFileSync('id', [flag, user], { encoding: 'utf8' })))
  return { uid, gid }
}
