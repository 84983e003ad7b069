import { runGate } from '../gate.js'
import { GateError } from '../gate-error.js'
import type { GateOutcome } from '../gate-result.js'
import { parseArguments, USAGE } from './arguments.js'

/** Where the command writes, and what stops it. */
export interface CommandWorld {
  readonly write: (line: string) => void
  readonly writeError: (line: string) => void
  readonly env: Readonly<Record<string, string | undefined>>
  readonly signal: AbortSignal
}

/** The exit code of each outcome; 1 is wrong use. */
export const EXIT_CODES: Readonly<Record<GateOutcome, number>> = { approved: 0, held: 2, 'rolled-back': 3, timeout: 4 }

/** Runs the command line and returns its exit code. */
export async function runCommand(args: readonly string[], world: CommandWorld): Promise<number> {
  try {
    const options = parseArguments(args)
    if (options === undefined) {
      world.write(USAGE)
      return 0
    }
    const token = world.env['LANEWAY_GATE_PROMETHEUS_TOKEN']
    const { outcome } = await runGate(options, {
      log: world.write,
      signal: world.signal,
      ...(token === undefined || token === '' ? {} : { prometheusToken: token }),
    })
    return EXIT_CODES[outcome]
  } catch (error) {
    if (!(error instanceof GateError)) throw error
    world.writeError(error.message)
    return 1
  }
}
