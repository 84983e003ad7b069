// A FerretDB on loopback, which speaks the protocol of MongoDB, with SQLite files in a folder of its own.
//   node test/servers/ferretdb/start.mjs      prints a line of JSON, stays until SIGTERM
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { freePorts, launch, ownFolder, stayUntilEnded } from '../loopback-server.mjs'

const module = fileURLToPath(new URL('module/', import.meta.url))
const cache = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'laneway-ferretdb')
const hash = createHash('sha256')
for (const file of ['go.mod', 'go.sum', 'main.go']) hash.update(readFileSync(`${module}${file}`))
const program = join(cache, `ferretdb-${hash.digest('hex').slice(0, 16)}`)

/** Why there is no FerretDB, or undefined when there is. Builds it once from its Go module. */
export function findFerretdb() {
  if (existsSync(program)) return undefined
  if (spawnSync('go', ['version']).status !== 0) return 'Go is not installed, so FerretDB cannot be built'
  mkdirSync(cache, { recursive: true })
  const fresh = `${program}.${process.pid}`
  const env = { ...process.env, GOTOOLCHAIN: 'local', CGO_ENABLED: '0', GOFLAGS: '-mod=readonly -buildvcs=false' }
  const args = ['-n', '15', 'go', 'build', '-trimpath', '-ldflags', '-s -w', '-o', fresh, '.']
  let problem = ''
  // A module download may fail for a moment.
  for (let attempt = 0; attempt < 3; attempt++) {
    const { status, stderr } = spawnSync('nice', args, { cwd: module, env, encoding: 'utf8' })
    if (status === 0) {
      renameSync(fresh, program)
      return undefined
    }
    problem = String(stderr).trim().split('\n').at(-1)
  }
  rmSync(fresh, { force: true })
  return `FerretDB cannot be built: ${problem}`
}

/** Starts it. Resolves with `{ host, port, url, pid, stop }`. */
export async function startFerretdb() {
  const [port] = await freePorts(1)
  const { folder } = ownFolder('ferretdb')
  const server = await launch('ferretdb', folder, program, [`127.0.0.1:${port}`, folder], { port })
  return { host: '127.0.0.1', port, url: `mongodb://127.0.0.1:${port}/demo`, ...server }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const problem = findFerretdb()
  if (problem !== undefined) throw new Error(problem)
  await stayUntilEnded(startFerretdb())
}
