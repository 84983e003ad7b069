import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { LanewayError } from '@laneway/core'
import type { GatewayExplanation } from '@laneway/gateway'
import { parseRules, type RulesExplanation } from '@laneway/rules'
import { parseWrittenRequest, type WrittenRequest } from '@laneway/rules/internal'
import { createPaint, type Paint } from '../terminal/paint.js'
import { plain } from '../terminal/table.js'
import { type CommandWorld, EXIT } from '../terminal/world.js'

export interface CheckOptions {
  readonly request?: string
  readonly header: readonly string[]
  readonly address: string
  readonly json?: boolean
}

/** A file that is good, and how it decides a request. */
interface Checked {
  readonly kind: 'rules' | 'gateway configuration'
  readonly size: number
  readonly notes: readonly string[]
  readonly explain: (request: WrittenRequest) => GatewayExplanation
}

/** Keys at the root of a gateway configuration that rules and manifests do not have. */
const GATEWAY_KEYS =
  /^(["']?)(discovery|routes|routesFrom|listeners)\1\s*:|^\s*\{?\s*"(discovery|routes|routesFrom|listeners)"\s*:/m

/** Checks a file of rules, or a gateway configuration with all that it names; then says what becomes of a request. */
export async function check(file: string, options: CheckOptions, world: CommandWorld): Promise<number> {
  const paint = createPaint(world)
  const request =
    options.request === undefined ? undefined : parseWrittenRequest(options.request, options.header, options.address)
  if (request === undefined && options.header.length > 0) {
    world.writeError("--header belongs to a request: --request 'GET /' --header 'x-user: 1'\n")
    return EXIT.usage
  }
  let checked: Checked
  try {
    checked = await readChecked(file, world.folder)
  } catch (error) {
    if (!(error instanceof LanewayError)) throw error
    const problems = problemsOf(error)
    if (options.json) world.write(`${JSON.stringify({ file, ok: false, problems })}\n`)
    else
      world.write(
        `${problems.map(problem => `${paint('red', 'problem')}  ${problem}\n`).join('')}${count(problems.length, 'problem')}\n`,
      )
    return EXIT.wrong
  }
  const { kind, size, notes } = checked
  const decision = request === undefined ? undefined : checked.explain(request)
  if (options.json) {
    world.write(
      `${JSON.stringify({ file, ok: true, kind, size, notes, ...(decision !== undefined && { decision }) })}\n`,
    )
    return EXIT.ok
  }
  world.write(`${file}: ${paint('green', 'ok')}, ${kind} with ${count(size, kind === 'rules' ? 'rule' : 'route')}\n`)
  for (const note of notes) world.write(`${paint('yellow', 'note')}  ${note}\n`)
  if (decision !== undefined) world.write(`\n${decisionText(decision, kind, request!, paint)}`)
  return EXIT.ok
}

/**
 * Reads rules or a gateway configuration, whichever the file holds.
 *
 * @throws LanewayError with every problem of the file
 */
export async function readChecked(file: string, folder: string): Promise<Checked> {
  const path = resolve(folder, file)
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (cause) {
    throw new LanewayError('LANEWAY_SOURCE', `${file} cannot be read: ${(cause as Error).message}`, { cause })
  }
  if (GATEWAY_KEYS.test(text)) {
    // Only now: it brings two servers and a client with it.
    const { checkGatewayConfig } = await import('@laneway/gateway')
    const { routes, notes, explain } = checkGatewayConfig(path)
    return { kind: 'gateway configuration', size: routes, notes, explain }
  }
  const rules = parseRules(text, { source: file })
  const explain = (request: WrittenRequest) => {
    // Asked once: a split by chance would draw again.
    const explained: RulesExplanation = rules.explain(request)
    const { decision } = explained
    return {
      lane: decision?.lane?.header,
      by: decision === undefined ? undefined : ('rule' as const),
      rules: explained,
      route: undefined,
      service: undefined,
    }
  }
  return { kind: 'rules', size: rules.size, notes: rules.notes, explain }
}

/** One line a problem, each with its place, as the packages say them. */
function problemsOf(error: LanewayError): string[] {
  return error.text.split('\n').map(plain)
}

function decisionText(
  { lane, by, rules, route, service }: GatewayExplanation,
  kind: Checked['kind'],
  { method, url }: WrittenRequest,
  paint: Paint,
): string {
  const lines = [paint('bold', `${method} ${plain(url)}`)]
  lines.push(`  lane     ${lane === undefined ? 'none' : paint('cyan', lane)}${by === undefined ? '' : `, by a ${by}`}`)
  if (kind !== 'rules') {
    const where = route === undefined ? paint('red', 'no route takes it: 404') : route
    lines.push(`  route    ${where}`, `  service  ${service ?? '-'}`)
  }
  if (rules !== undefined) {
    lines.push('  rules')
    for (const line of rules.text.split('\n')) lines.push(`    ${plain(line)}`)
  }
  return `${lines.join('\n')}\n`
}

function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? '' : 's'}`
}
