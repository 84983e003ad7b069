import { LanewayError } from '@laneway/core'
import { loadConfig } from '../config/load-config.js'
import type { LogDestination } from '../observe/access-log.js'
import { type StartedGateway, startGateway } from '../start-gateway.js'
import { parseArguments, USAGE } from './arguments.js'

/** Where the command writes, and what stops it. */
export interface CommandWorld {
  readonly out: LogDestination
  /** One line. */
  readonly writeError: (line: string) => void
  /** Calls back for each signal. */
  readonly onSignal: (listener: (signal: 'SIGTERM' | 'SIGINT' | 'SIGHUP') => void) => void
}

/** Runs the command line and resolves with its exit code. */
export async function runCommand(args: readonly string[], world: CommandWorld): Promise<number> {
  const { out, writeError } = world
  try {
    const read = parseArguments(args)
    if (read === undefined) {
      out.write(USAGE)
      return 0
    }
    if (read.mode === 'run') return await run(read.config, world)
    const { config, routes, notes } = loadConfig(read.config)
    for (const note of notes) writeError(note)
    if (read.mode === 'check')
      out.write(`${read.config}: ok, ${routes.length} ${routes.length === 1 ? 'route' : 'routes'}\n`)
    else out.write(`${JSON.stringify(config, hidePasswords, 2)}\n`)
    return 0
  } catch (error) {
    // A port that is in use, or not allowed, is a wrong configuration too.
    const isListen = (error as { syscall?: unknown }).syscall === 'listen'
    if (!(error instanceof LanewayError) && !isListen) throw error
    writeError((error as Error).message)
    return 1
  }
}

async function run(file: string, { out, writeError, onSignal }: CommandWorld): Promise<number> {
  const started = await startGateway(file, { accessLog: out, warn: writeError, notice: writeError })
  writeError(`laneway-gateway listens on ${addressesOf(started).join(', ')}`)
  return new Promise(resolve => {
    onSignal(signal => {
      if (signal === 'SIGHUP') {
        started.reload()
        return
      }
      writeError(`${signal}: draining`)
      void started.close().then(() => resolve(0))
    })
  })
}

function addressesOf({ gateway }: StartedGateway): string[] {
  const found: string[] = []
  const text = ({ address, port }: { address: string; port: number }) =>
    `${address.includes(':') ? `[${address}]` : address}:${port}`
  for (let index = 0; index < gateway.listenerCount; index++) found.push(text(gateway.address(index)))
  try {
    found.push(`admin on ${text(gateway.adminAddress())}`)
  } catch {
    // The gateway has no admin port.
  }
  return found
}

function hidePasswords(key: string, value: unknown): unknown {
  return key === 'password' && value !== undefined ? '(hidden)' : value
}
