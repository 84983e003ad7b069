// An endpoints server of one version, followed by a source of the other.
import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

const at = (port, ...tags) => ({ host: '127.0.0.1', port, tags, metadata: { version: 'a' }, zone: 'z1' })
const FIRST = { 'sc-b': [at(1), at(2, 'gray')], 'sc-c': [at(3)] }
const SECOND = { 'sc-b': [at(2, 'gray'), at(4, 'blue')], 'sc-c': [at(3)] }
const WAIT_MS = 30_000

/** Whether the packages in a folder have both ends. */
export function hasEndpointsServer(folder) {
  const discovery = `${folder}/node_modules/@laneway/discovery/dist/esm/index.js`
  return existsSync(discovery) && readFileSync(discovery, 'utf8').includes('createHttpSource')
}

/** @returns what was wrong; empty for nothing */
export async function followEndpoints(server, client) {
  const folder = mkdtempSync(join(tmpdir(), 'laneway-compat-'))
  const file = join(folder, 'endpoints.json')
  const publish = services => writeFileSync(file, JSON.stringify({ services }))
  publish(FIRST)
  const bin = `${server}/node_modules/laneway/dist/esm/bin.js`
  const child = spawn(process.execPath, [bin, 'endpoints', '--file', file, '--serve', '--listen', '127.0.0.1:0'])
  try {
    const url = await new Promise((resolve, reject) => {
      let said = ''
      for (const pipe of [child.stdout, child.stderr]) {
        pipe.on('data', chunk => {
          said += chunk
          const found = /on (http:\S+)/.exec(said)
          if (found !== null) resolve(found[1])
        })
      }
      child.once('exit', code => reject(new Error(`the server ended with ${code}: ${said}`)))
    })
    const { createHttpSource } = await import(
      pathToFileURL(`${client}/node_modules/@laneway/discovery/dist/esm/index.js`)
    )
    const source = createHttpSource(url, { namespace: 'shop' })
    const seen = new Map()
    let wake = () => {}
    for (const service of ['sc-b', 'sc-c', 'sc-d']) {
      const take = value => {
        seen.set(service, value)
        wake()
      }
      source.subscribe(service, { snapshot: take, missing: () => take('missing'), stale: take })
    }
    let problem = await reaches(FIRST)
    publish(SECOND)
    problem ??= await reaches(SECOND)
    await source.close()
    return problem ?? ''

    async function reaches(services) {
      const wanted = JSON.stringify([services['sc-b'], services['sc-c'], 'missing'])
      const now = () => JSON.stringify(['sc-b', 'sc-c', 'sc-d'].map(service => seen.get(service)))
      const end = performance.now() + WAIT_MS
      while (now() !== wanted && performance.now() < end) {
        await new Promise(resolve => {
          wake = resolve
          setTimeout(resolve, 1000)
        })
      }
      return now() === wanted ? undefined : `${now()} is not ${wanted}`
    }
  } finally {
    child.removeAllListeners('exit')
    child.kill('SIGKILL')
    rmSync(folder, { recursive: true })
  }
}
