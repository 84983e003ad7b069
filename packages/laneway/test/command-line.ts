import { spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { runCommand } from '../src/index.js'

export const root = fileURLToPath(new URL('../../..', import.meta.url))
export const bin = join(root, 'packages/laneway/dist/esm/bin.js')

export interface Ended {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

export interface LanewayOptions {
  readonly folder?: string
  readonly env?: Readonly<Record<string, string>>
}

/** Runs the built command as its user would. Settings of whoever runs the tests do not reach it. */
export function laneway(args: readonly string[], { folder = root, env = {} }: LanewayOptions = {}): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = start(args, { folder, env })
    let stdout = ''
    let stderr = ''
    child.stdout.on('data', chunk => (stdout += chunk))
    child.stderr.on('data', chunk => (stderr += chunk))
    child.once('error', reject)
    child.once('close', (code, signal) => resolve({ code, signal, stdout, stderr }))
  })
}

export function start(args: readonly string[], { folder = root, env = {} }: LanewayOptions = {}) {
  const { PATH = '', HOME = '' } = process.env
  return spawn(process.execPath, [bin, ...args], {
    cwd: folder,
    env: { PATH, HOME, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: 300_000,
  })
}

/** Runs the command in this process: a start of Node costs more than all that is tested. */
export async function command(
  args: readonly string[],
  { folder = root, env = {} }: LanewayOptions = {},
): Promise<Ended> {
  let stdout = ''
  let stderr = ''
  const code = await runCommand(args, {
    write(text) {
      stdout += text
    },
    writeError(text) {
      stderr += text
    },
    env,
    folder,
    isTerminal: false,
    signal: new AbortController().signal,
  })
  return { code, signal: null, stdout, stderr }
}

interface Test {
  teardown(end: () => unknown): unknown
}

/** A folder outside of the repository, in which nothing of Laneway is installed. */
export function folderWith(t: Test, files: Readonly<Record<string, unknown>>): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'laneway-command-')))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  for (const [name, content] of Object.entries(files)) {
    const file = join(folder, name)
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content))
  }
  return folder
}

/** An application with packages of this repository installed. */
export function application(
  t: Test,
  packages: readonly string[] = ['register', 'nacos'],
  more: { readonly manifest?: object; readonly files?: Readonly<Record<string, unknown>> } = {},
): string {
  const dependencies = Object.fromEntries(packages.map(name => [`@laneway/${name}`, '^0.1.0']))
  const folder = folderWith(t, { 'package.json': { name: 'app', dependencies, ...more.manifest }, ...more.files })
  mkdirSync(join(folder, 'node_modules/@laneway'), { recursive: true })
  for (const name of packages) {
    symlinkSync(join(root, 'packages', name), join(folder, 'node_modules/@laneway', name), 'junction')
  }
  return folder
}
