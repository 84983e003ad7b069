import { spawn } from 'node:child_process'
import { createRequire } from 'node:module'
import { constants } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { type CommandWorld, EXIT } from '../terminal/world.js'
import { joinLane, type RunOptions } from './join-lane.js'

/** The file that this is part of, filled in when the package is built. */
declare const LANEWAY_FILE: string

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGUSR2'] as const

/**
 * Starts a program under `@laneway/register`, from any folder: the one that the program's folder has, else the one of this
 * package. Ends as the program ends, by its exit code or its signal. With a lane, the program joins it.
 */
export async function run(command: readonly string[], options: RunOptions, world: CommandWorld): Promise<number> {
  const [program, ...args] = command
  if (program === undefined) {
    world.writeError('what is to be run? laneway run -- node app.js\n')
    return EXIT.usage
  }
  const given = Object.keys(options)
  if (options.lane === undefined && given.length > 0) {
    world.writeError(`--${given[0]} belongs to --lane: laneway run --lane alice -- node app.js\n`)
    return EXIT.usage
  }
  const joining = options.lane === undefined ? undefined : await joinLane(options, world)
  if (typeof joining === 'number') return joining
  try {
    return await start(program, args, { ...world, env: { ...world.env, ...joining?.env } })
  } finally {
    await joining?.close()
  }
}

function start(program: string, args: readonly string[], world: CommandWorld): Promise<number> {
  const register = registerIn(world.folder)
  // Through the environment, so that npm scripts, tsx, pm2 and nodemon hand it on to Node.
  const flag = `--import ${JSON.stringify(pathToFileURL(register).href)}`
  const given = world.env['NODE_OPTIONS']
  const env = { ...world.env, NODE_OPTIONS: given === undefined || given === '' ? flag : `${flag} ${given}` }
  return new Promise(resolve => {
    const child = spawn(program, args, {
      stdio: 'inherit',
      env,
      cwd: world.folder,
      shell: process.platform === 'win32',
    })
    // A terminal gives Ctrl-C to the program itself; a second SIGINT would end it before it has deregistered.
    const isDoubled = (signal: NodeJS.Signals) => process.stdin.isTTY && (signal === 'SIGINT' || signal === 'SIGQUIT')
    const forward = (signal: NodeJS.Signals) => void (isDoubled(signal) || child.kill(signal))
    for (const signal of SIGNALS) process.on(signal, forward)
    const done = () => {
      for (const signal of SIGNALS) process.removeListener(signal, forward)
    }
    child.once('error', error => {
      done()
      world.writeError(`${program} cannot be started: ${error.message}\n`)
      // As shells say it.
      resolve((error as NodeJS.ErrnoException).code === 'ENOENT' ? 127 : 126)
    })
    child.once('exit', (code, signal) => {
      done()
      if (signal === null) return resolve(code ?? 0)
      // Whoever waits for this process should see the same end.
      process.kill(process.pid, signal)
      setTimeout(() => resolve(128 + (constants.signals[signal] ?? 0)), 100)
    })
  })
}

/** The ES module of `@laneway/register`, as a path. */
function registerIn(folder: string): string {
  for (const place of [join(folder, 'index.js'), LANEWAY_FILE]) {
    try {
      return join(createRequire(place).resolve('@laneway/register/package.json'), '../dist/esm/index.js')
    } catch {
      // Not there: the next place.
    }
  }
  throw new Error('@laneway/register is not installed: npm install @laneway/register')
}
