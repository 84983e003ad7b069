import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { stringify } from 'yaml'
import { findPlay, send } from '../src/commands/control.js'
import { manifestsOf, type Profile } from './play-cluster.js'
import type { Entry } from './release-sequence.js'

const root = fileURLToPath(new URL('../../..', import.meta.url))

/** The services run as a user's would, from what is built. `false` when it is. */
export const notBuilt =
  !['express', 'fastify', 'nacos-dev-server', 'rules'].every(name => existsSync(join(root, `packages/${name}/dist`))) &&
  'the packages are not built: npm run build'

/** A folder for one play: for its state, and for manifests with one pod of each service, one batch, no MySQL. */
export function playFolder(profile: Profile): { folder: string; manifests: string; remove(): void } {
  const folder = mkdtempSync(join(tmpdir(), 'laneway-play-'))
  const manifests = join(folder, 'manifests')
  mkdirSync(manifests)
  const batches = manifestsOf(profile, 'one-batch')
  const objects = [...manifestsOf(profile).filter(one => one.kind !== 'Rollout'), ...batches]
  for (const one of objects) if (one.kind === 'Deployment') one.spec.replicas = 1
  writeFileSync(join(manifests, 'all.yaml'), objects.map(one => stringify(one)).join('---\n'))
  return { folder, manifests, remove: () => rmSync(folder, { recursive: true, force: true }) }
}

/** What a command prints, and how it ends. */
export interface Printed {
  readonly code: number | null
  readonly out: string
  readonly err: string
}

/** Runs a command of the demo as a user does. */
export function demo(state: string, ...argv: string[]): Promise<Printed> {
  const program = fileURLToPath(new URL('../src/demo.ts', import.meta.url))
  const child = spawn(process.execPath, ['--import', 'tsx', program, ...argv], {
    cwd: root,
    env: { ...process.env, LANEWAY_DEMO_STATE: state, NODE_OPTIONS: '', INIT_CWD: root },
  })
  let out = ''
  let err = ''
  child.stdout.on('data', chunk => (out += chunk))
  child.stderr.on('data', chunk => (err += chunk))
  return new Promise(resolve => child.once('close', code => resolve({ code, out, err })))
}

/** The same without a process for each command, where only what it does matters. */
export async function ask(state: string, ...argv: string[]): Promise<Printed> {
  const { code, text } = await send(findPlay(state)!, argv, root)
  return { code, out: code === 0 ? text : '', err: code === 0 ? '' : text }
}

export function readLog(file: string): Entry[] {
  const lines = readFileSync(file, 'utf8').trim().split('\n')
  return lines.map(line => JSON.parse(line))
}
