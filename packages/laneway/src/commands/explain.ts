import { parseLane } from '@laneway/core'
import { nearest } from '@laneway/core/internal'
import type { ExplainedStep, Explanation, Source } from '@laneway/discovery'
import { hasRegistry, openRegistries, readSettings, type SourceOptions } from '../registry/settings.js'
import { createPaint, type Paint } from '../terminal/paint.js'
import { ageText, plain, tableOf } from '../terminal/table.js'
import { type CommandWorld, EXIT } from '../terminal/world.js'

export interface ExplainOptions extends SourceOptions {
  readonly lane?: string
  readonly json?: boolean
  readonly timeout: number
}

/** Prints how a request to a service would be decided, and why. */
export async function explain(service: string, options: ExplainOptions, world: CommandWorld): Promise<number> {
  const { lane, timeout } = options
  if (lane !== undefined && parseLane(lane) === undefined) {
    world.writeError(
      `--lane ${JSON.stringify(lane)} is not a lane: letters, digits and . _ - between them, at most 63 characters\n`,
    )
    return EXIT.usage
  }
  const settings = readSettings(world, options)
  if (!hasRegistry(settings)) {
    world.writeError(
      'no registry is configured: give --nacos host:8848, --kubernetes or --file endpoints.json, or set LANEWAY_NACOS\n',
    )
    return EXIT.usage
  }
  const config = { ...settings, readyTimeoutMs: timeout, lookupTimeoutMs: timeout }
  const warnings: string[] = []
  const { resolver, sources } = openRegistries(config, message => void warnings.push(message))
  if (resolver === undefined) return EXIT.usage
  try {
    // As a request would: a name that a URL cannot carry has to be declared.
    const named = resolver.match(service, undefined, false) !== undefined
    if (named) await resolver.lookup(service).catch(() => {})
    else if (!LABEL.test(service)) await resolver.ready(service).catch(() => {})
    const explanation = resolver.explain(service, lane)
    const { candidateCount, endpoints } = explanation
    const lost = resolver.health().sources.some(({ connected }) => connected === false)
    const hint = endpoints > 0 || lost ? undefined : hintOf(service, await namesOf(sources, timeout))
    const paint = createPaint(world)
    if (options.json) world.write(`${JSON.stringify({ ...explanation, ...(hint !== undefined && { hint }) })}\n`)
    else world.write(`${textOf(hint === undefined ? explanation : { ...explanation, reason: hint }, paint)}`)
    if (candidateCount === 0 && endpoints > 0 && !options.json) {
      const asked = parseLane(lane)
      world.write(`\n${resolver.refusal(resolver.pick(service, asked), asked).message}\n`)
    }
    // A lost registry is what the explanation is about.
    if (!lost) for (const warning of new Set(warnings)) world.writeError(`${warning}\n`)
    if (candidateCount > 0) return EXIT.ok
    return lost ? EXIT.unreachable : EXIT.wrong
  } finally {
    await resolver.close()
  }
}

/** A host that could be a service: what is no service is known at once. */
const LABEL = /^[a-z\d](?:[a-z\d-]*[a-z\d])?$/i

/** What the registries list. */
async function namesOf(sources: readonly Source[], timeoutMs: number): Promise<string[]> {
  const names = new Set<string>()
  const lists = sources.map(
    source =>
      new Promise<void>(resolve => {
        const timer = setTimeout(resolve, timeoutMs)
        source.list?.(listed => {
          for (const name of listed) names.add(name)
          clearTimeout(timer)
          resolve()
        }) ?? resolve()
      }),
  )
  await Promise.all(lists)
  return [...names].sort()
}

function hintOf(service: string, names: readonly string[]): string {
  const near = nearest(
    service,
    names.filter(name => name !== service),
  )
  const listed =
    names.length === 0 ? 'the registry lists no service' : `the registry lists ${names.slice(0, 20).join(', ')}`
  return `no registry has an instance of ${plain(service)}: a request to it goes to DNS, unless it is in LANEWAY_SERVICES; ${
    near === undefined ? plain(listed) : `did you mean ${plain(near)}?`
  }`
}

function textOf(explanation: Explanation, paint: Paint): string {
  const { service, lane, outcome, steps, reason, candidates, candidateCount, policy, source, status, ageMs, error } =
    explanation
  const good = candidateCount > 0
  const title = `${service} for ${lane === undefined ? 'a request without lane' : `lane ${lane}`}`
  const trail = steps.map(step => ['  ', step.tag ?? 'base', wordsOf(step), paintVerdict(step, paint)])
  const shown = candidates.slice(0, 10).join(', ')
  const more = candidateCount > 10 ? `, and ${candidateCount - 10} more` : ''
  const facts: string[][] = [
    ['  outcome', paint(good ? 'green' : 'red', outcome)],
    ['  goes to', good ? `${candidateCount === 1 ? '' : 'one of '}${shown}${more}` : 'nothing'],
    ['  because', plain(reason)],
  ]
  if (policy !== undefined) {
    facts.push([
      '  policy',
      `whenLaneMissing ${policy.whenLaneMissing}, whenLaneUnavailable ${policy.whenLaneUnavailable}`,
    ])
  }
  const known = `${source ?? 'no source'}, ${status}${ageMs === undefined ? '' : `, ${ageText(ageMs)} old`}`
  facts.push(['  known', error === undefined ? known : `${known}: ${plain(error)}`])
  return `${paint('bold', title)}\n${tableOf(facts)}${trail.length === 0 ? '' : `\n  looked at\n${tableOf(trail)}`}`
}

function paintVerdict({ verdict }: ExplainedStep, paint: Paint): string {
  return paint(verdict === 'serves' ? 'green' : verdict === 'panic' ? 'yellow' : 'dim', verdict)
}

function wordsOf({ endpoints, usable, leftOut }: ExplainedStep): string {
  const causes = Object.entries(leftOut).filter(([, count]) => count > 0)
  const why = causes.length === 0 ? '' : ` (${causes.map(([cause, count]) => `${count} ${cause}`).join(', ')})`
  return `${usable} of ${endpoints} usable${why}`
}
