import { parseArgs } from 'node:util'
import { LanewayError } from '@laneway/core'

/** What the command prints for `--help`. */
export const USAGE = `laneway-gateway: the entrance of traffic lanes

  npx @laneway/gateway --config gateway.yaml

  -c, --config <file>  the configuration (YAML or JSON)
  --check              checks the configuration and all files that it names, then exits
  --print-config       prints the configuration as the gateway reads it, without passwords, then exits
  -h, --help

SIGTERM and SIGINT drain and stop the gateway; a second signal stops it at once. SIGHUP reads the configuration again.
The gateway also reads routes and rules again when their files change. The access log goes to standard output, everything
else to standard error.

Exit codes: 0 stopped or checked, 1 wrong use or wrong configuration.
`

export interface Arguments {
  readonly config: string
  readonly mode: 'run' | 'check' | 'print'
}

/**
 * Reads the command line.
 *
 * @returns `undefined` for `--help`
 * @throws LanewayError `LANEWAY_INVALID_OPTION`
 */
export function parseArguments(args: readonly string[]): Arguments | undefined {
  let values: { config?: string; check?: boolean; 'print-config'?: boolean; help?: boolean }
  try {
    values = parseArgs({
      args: [...args],
      options: {
        config: { type: 'string', short: 'c' },
        check: { type: 'boolean' },
        'print-config': { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
      },
    }).values
  } catch (cause) {
    throw new LanewayError('LANEWAY_INVALID_OPTION', `${(cause as Error).message}; see --help`, { cause })
  }
  if (values.help === true) return undefined
  if (values.config === undefined) {
    throw new LanewayError('LANEWAY_INVALID_OPTION', '--config is missing; see --help')
  }
  const mode = values.check === true ? 'check' : values['print-config'] === true ? 'print' : 'run'
  return { config: values.config, mode }
}
