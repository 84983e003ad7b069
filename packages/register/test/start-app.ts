import { type ChildProcess, spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

/** A running program, started as its user would, with the built package. */
export interface App {
  readonly url: string
  readonly port: number
  readonly child: ChildProcess
  /** What it has printed so far. */
  readonly output: { stdout: string; stderr: string }
  /** `SIGTERM`, or the exit code. */
  readonly ended: Promise<string | number | null>
}

export const program = (name: string) => fileURLToPath(new URL(`programs/${name}`, import.meta.url))

export interface AppOptions {
  readonly flags?: readonly string[]
  readonly environment?: Record<string, string>
  readonly folder?: string
  readonly args?: readonly string[]
  /** A command that starts it, with its arguments. */
  readonly under?: readonly string[]
}

/** Starts a program and waits for its `serving on <port>`. */
export async function startApp(t: Test, file: string, options: AppOptions = {}): Promise<App> {
  const { flags = ['--import', '@laneway/register'], environment = {}, folder, args = [], under = [] } = options
  const [command, ...rest] = [...under, process.execPath, ...flags, file, ...args] as [string, ...string[]]
  const child = spawn(command, rest, {
    env: { ...clean(process.env), ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(folder !== undefined && { cwd: folder }),
  })
  t.teardown(() => child.kill('SIGKILL'))
  const output = { stdout: '', stderr: '' }
  const ended = new Promise<string | number | null>(resolve => {
    child.once('close', (code, signal) => resolve(signal ?? code))
  })
  const port = await new Promise<number>((resolve, reject) => {
    child.stdout.on('data', chunk => {
      output.stdout += chunk
      const found = /serving on (\d+)/.exec(output.stdout)
      if (found !== null) resolve(Number(found[1]))
    })
    child.stderr.on('data', chunk => {
      output.stderr += chunk
    })
    void ended.then(how => reject(new Error(`the program ended with ${how}\n${output.stderr}`)))
  })
  return { url: `http://127.0.0.1:${port}`, port, child, output, ended }
}

/** Asks for a page, in a lane. */
export async function ask(url: string, tag?: string): Promise<string> {
  const response = await fetch(url, { headers: tag === undefined ? {} : { 'x-mse-tag': tag } })
  return response.text()
}

/** Asks a `relay.mjs` to call the service, in a lane. */
export const relay = (app: App, client: string, tag?: string, target = 'http://svc/') =>
  ask(`${app.url}/?client=${encodeURIComponent(client)}&url=${encodeURIComponent(target)}`, tag)

/** The test runner's own flags are not the program's. */
function clean(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const { NODE_OPTIONS: _, ...rest } = env
  return rest
}

/** As much of a test as is needed here. */
export interface Test {
  teardown(end: () => unknown): unknown
}
