import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { withLock } from '../../../../scripts/lock.mjs'

const app = fileURLToPath(new URL('../../fixtures/next-app/', import.meta.url))
const starter = fileURLToPath(new URL('../../fixtures/next-start.mjs', import.meta.url))
const PATHS = ['/app', '/api', '/rendered']
const env = { NEXT_TELEMETRY_DISABLED: '1', NEXT_IGNORE_INCORRECT_LOCKFILE: '1', NODE_ENV: 'production' }

/** Built once for each state of the app: a route, a server component and an API route. */
export default {
  library: 'next',
  use: 'standalone: a route handler, a server component, an API route',
  explicit: 'Next makes its server itself',
  full: true,
  request: number => ({ path: `${PATHS[number % 3]}/id-${number}` }),
  // The markup of a server component holds the name of its build and addresses of chunks.
  ignore: ['etag', 'x-nextjs-cache'],
  async program({ flags, libraries, node }) {
    await build(libraries)
    const server = `${app}.next/standalone/fixtures/next-app/server.js`
    return { command: node, args: [...flags, starter, pathToFileURL(server).href], env }
  },
}

async function build(libraries) {
  const hash = createHash('sha256')
  for (const name of readdirSync(app, { recursive: true }).sort()) {
    if (!name.startsWith('.next') && statSync(`${app}${name}`).isFile())
      hash.update(name).update(readFileSync(`${app}${name}`))
  }
  const wanted = hash.update(readFileSync(`${libraries}node_modules/next/package.json`)).digest('hex')
  const stamp = `${app}.next/laneway-stamp`
  const fresh = () => existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted
  if (fresh()) return
  await withLock(`${libraries}node_modules/.laneway-next.lock`, () => {
    if (fresh()) return
    const args = [`${libraries}node_modules/next/dist/bin/next`, 'build']
    const { status, stdout, stderr } = spawnSync(process.execPath, args, {
      cwd: app,
      env: { ...process.env, ...env },
      encoding: 'utf8',
    })
    if (status !== 0) throw new Error(`next build ended with ${status}\n${stdout}\n${stderr}`)
    writeFileSync(stamp, wanted)
  })
}
