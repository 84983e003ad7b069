// Installs the libraries of this folder once for each state of its lock file.
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { digest } from '../../scripts/digest.mjs'
import { withLock } from '../../scripts/lock.mjs'

/**
 * Install scripts do not run: telemetry agents and downloads of browsers or engines are none of our business.
 *
 * @param {string} folder - ends with a slash; holds `package.json` and `package-lock.json`
 */
export async function installLocked(folder) {
  const stamp = `${folder}node_modules/.laneway-install`
  const wanted = digest([`${folder}package-lock.json`])
  const fresh = () => existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted
  if (fresh()) return
  await withLock(`${folder}node_modules/.laneway-install.lock`, () => {
    if (fresh()) return
    console.log(`installing ${folder.replace(/.*\/test\//, 'test/')} ...`)
    // Not `npm ci`: it refuses a lock file without the optional packages of other platforms, which not every registry has.
    const args = ['install', '--no-save', '--ignore-scripts', '--legacy-peer-deps', '--no-audit', '--no-fund']
    const { status } = spawnSync('npm', [...args, '--loglevel=error'], { cwd: folder, stdio: 'inherit' })
    if (status !== 0) throw new Error(`npm install in ${folder} ended with ${status}`)
    writeFileSync(stamp, wanted)
  })
}

export const libraries = fileURLToPath(new URL('./', import.meta.url))
