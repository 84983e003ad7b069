import { execFile } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, renameSync, rmSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { nodeBinary } from '../../../scripts/node-versions.mjs'

const root = fileURLToPath(new URL('../../../', import.meta.url))
const programs = `${root}packages/otel/test/programs`
const PACKAGES = ['core', 'discovery', 'express', 'fastify', 'http', 'undici', 'otel']

/** What SDK 3 is: it needs the API 1.10 and Node 22, so it cannot be in the lock file of a repository for Node 20. */
const SDK3 = [
  '@opentelemetry/api@~1.10.0',
  '@opentelemetry/sdk-node@~0.301.0',
  '@opentelemetry/core@^3.1.0',
  '@opentelemetry/instrumentation-http@~0.301.0',
  '@opentelemetry/instrumentation-undici@~0.34.0',
]

export interface ProgramOptions {
  /** Arguments for Node. */
  readonly nodeArguments?: readonly string[]
  readonly binary?: string
  /** Where the programs are. */
  readonly folder?: string
}

/** Builds what the programs load; nothing when the sources have not changed. */
export async function build(): Promise<void> {
  await execute(process.execPath, ['scripts/build.mjs', ...PACKAGES], process.env, root)
}

/** Runs a program of `test/programs` on the built packages; it prints JSON. */
export async function runProgram<T = any>(name: string, input: object, options: ProgramOptions = {}): Promise<T> {
  const folder = options.folder ?? programs
  const environment = { ...process.env, NODE_OPTIONS: '', TAP: '', OTEL_CASE: JSON.stringify(input) }
  const args = [...(options.nodeArguments ?? []), `${folder}/${name}.mjs`]
  return JSON.parse(await execute(options.binary ?? process.execPath, args, environment, folder))
}

/** A preload script of `test/programs`, as `--require` and `--import` take it. */
export function preload(name: string): string {
  return `${programs}/${name}`
}

/** The programs beside SDK 3 with the API 1.10, and a Node that runs them; `undefined` when that cannot be had. */
export async function sdk3(): Promise<{ folder: string; binary: string } | undefined> {
  const binary = await nodeBinary(22)
  if (binary === undefined) return undefined
  const place = `${root}node_modules/.cache/laneway-otel-3`
  if (!existsSync(`${place}/node_modules/@opentelemetry/sdk-node`)) {
    const draft = `${place}.${process.pid}`
    mkdirSync(draft, { recursive: true })
    const args = ['install', '--prefix', draft, '--no-save', '--no-audit', '--no-fund', '--loglevel=error', ...SDK3]
    try {
      await execute('npm', args, process.env, draft)
    } catch {
      rmSync(draft, { recursive: true, force: true })
      return undefined
    }
    rmSync(place, { recursive: true, force: true })
    renameSync(draft, place)
  }
  // Copies, not links: a linked package would load the API of the repository.
  for (const name of PACKAGES) {
    const copy = `${place}/node_modules/@laneway/${name}`
    rmSync(copy, { recursive: true, force: true })
    cpSync(`${root}packages/${name}/package.json`, `${copy}/package.json`)
    cpSync(`${root}packages/${name}/dist`, `${copy}/dist`, { recursive: true })
  }
  const folder = `${place}/programs`
  rmSync(folder, { recursive: true, force: true })
  cpSync(programs, folder, { recursive: true })
  return { folder, binary }
}

function execute(file: string, args: string[], env: NodeJS.ProcessEnv, cwd: string): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile(file, args, { env, cwd, timeout: 300_000, maxBuffer: 1 << 24 }, (error, stdout, stderr) => {
      if (error === null) resolve(stdout)
      else reject(new Error(`${file} ${args.join(' ')}: ${error.message}\n${stdout}\n${stderr}`))
    })
  })
}
