// Makes a fresh clone usable: installs what the lock file names, builds what has changed. Needs Node and npm only.
// With names, builds those packages and what they need; with `--types`, with declarations.
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { digest } from './digest.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))
const stamp = `${root}node_modules/.laneway-install`
const [major, minor] = process.versions.node.split('.').map(Number)
if (major < 20 || (major === 20 && minor < 19)) {
  console.error(`Laneway needs Node 20.19 or later, this is ${process.version}`)
  process.exit(1)
}

// A new package needs its link in node_modules, also before the lock file knows it.
const wanted = [digest([`${root}package-lock.json`]), ...readdirSync(`${root}packages`)].join(' ')
const installed = existsSync(stamp) ? readFileSync(stamp, 'utf8') : ''
if (installed !== wanted) {
  console.log('installing dependencies ...')
  // Not `npm ci`: it refuses a lock file without the optional packages of other platforms, which not every registry has.
  const { status } = spawnSync('npm', ['install', '--no-save', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: root,
    stdio: 'inherit',
    shell: process.platform === 'win32',
  })
  if (status !== 0) process.exit(status ?? 1)
  writeFileSync(stamp, wanted)
}
const { buildAll, buildArguments } = await import('./build.mjs')
await buildAll(...buildArguments())
