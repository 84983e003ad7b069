import { parseArgs } from 'node:util'
import { GateError } from '../gate-error.js'
import type { GateOptions } from '../options.js'

const TEXTS = ['hops', 'lane', 'prometheus', 'namespace', 'kubeconfig', 'context', 'onFail'] as const
const NUMBERS = [
  ...([
    'minRequests',
    'minBaseRequests',
    'maxErrorExcess',
    'latencyQuantile',
    'maxLatencyRatio',
    'latencySlackMs',
  ] as const),
  ...(['windowSeconds', 'maxAgeSeconds', 'intervalSeconds', 'rounds', 'badRounds', 'timeoutSeconds'] as const),
  'settleSeconds',
] as const
const LABELS = ['metric', 'serviceLabel', 'laneLabel', 'instanceLabel', 'baseValue', 'statusLabel'] as const

const kebab = (name: string) => name.replace(/[A-Z]/g, letter => `-${letter.toLowerCase()}`)

/** Words in lines of at most 100 columns, indented by two. */
function inLines(words: readonly string[]): string {
  const lines: string[] = []
  for (const word of words) {
    const last = lines.at(-1)
    if (last !== undefined && last.length + word.length < 100) lines[lines.length - 1] = `${last} ${word}`
    else lines.push(`  ${word}`)
  }
  return lines.join('\n')
}

/** What the command prints for `--help`. */
export const USAGE = `laneway-gate: approves or holds the paused Rollouts of a lane by its metrics

  laneway-gate --hops shop-a=rollout-a,shop-b,shop-c=rollout-c --lane gray --prometheus http://prometheus:9090

  --hops            the services that the lane crosses, entrance first; service=rollout where a Rollout pauses
  --lane            the lane
  --prometheus      URL; a bearer token is taken from LANEWAY_GATE_PROMETHEUS_TOKEN
  --on-fail         hold (default) or rollback
  --dry-run         judge once, print the verdict, change nothing

${inLines([...TEXTS.slice(3, 6), ...NUMBERS, ...LABELS].map(name => `--${kebab(name)}`))}
  --gitops-manager  (repeatable)

Exit codes: 0 approved, 1 wrong use or no cluster, 2 held, 3 rolled back, 4 nothing decided in time.
`

/**
 * Reads the command line.
 *
 * @returns `undefined` for `--help`
 * @throws GateError `LANEWAY_GATE_INVALID_OPTION`
 */
export function parseArguments(args: readonly string[]): GateOptions | undefined {
  const text = { type: 'string' } as const
  const options = Object.fromEntries([...TEXTS, ...NUMBERS, ...LABELS].map(name => [kebab(name), text]))
  let values: Record<string, unknown>
  try {
    values = parseArgs({
      args: [...args],
      options: {
        ...options,
        'dry-run': { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
        'gitops-manager': { type: 'string', multiple: true },
      },
    }).values
  } catch (error) {
    throw new GateError('LANEWAY_GATE_INVALID_OPTION', (error as Error).message, { cause: error })
  }
  if (values['help'] === true) return undefined
  for (const name of ['hops', 'lane', 'prometheus']) {
    if (values[name] === undefined)
      throw new GateError('LANEWAY_GATE_INVALID_OPTION', `--${name} is missing; see --help`)
  }
  const read: Record<string, unknown> = {}
  for (const name of [...TEXTS, ...LABELS]) if (values[kebab(name)] !== undefined) read[name] = values[kebab(name)]
  for (const name of NUMBERS) {
    const value = values[kebab(name)]
    // An empty string would be the number 0.
    if (value !== undefined) read[name] = value === '' ? Number.NaN : Number(value)
  }
  if (values['dry-run'] === true) read['dryRun'] = true
  if (values['gitops-manager'] !== undefined) read['gitopsManagers'] = values['gitops-manager']
  return read as unknown as GateOptions
}
