import { parseLane } from '@laneway/core'
import type { Explanation, LaneResolver } from '@laneway/discovery'
import type { WrittenRequest } from '@laneway/rules/internal'
import type { Asked } from '../wire.js'

/** How rules decide a request. */
export interface Decided {
  /** As on the wire; `undefined` for none. */
  readonly lane: string | undefined
  /** What decided, in words: `rule "tester"`. */
  readonly by: string
  /** How each rule was looked at. */
  readonly lines: readonly string[]
}

const MAX_TEXT = 16_384

/** Answers the view Ask; sends nothing to any service. */
export async function ask(
  parameters: URLSearchParams,
  resolver: LaneResolver | undefined,
  decide: ((request: WrittenRequest) => Decided | Promise<Decided>) | undefined,
): Promise<Asked> {
  const service = parameters.get('service') ?? ''
  const line = parameters.get('request') ?? ''
  const typed = parameters.get('lane') ?? ''
  const headers = (parameters.get('headers') ?? '')
    .slice(0, MAX_TEXT)
    .split('\n')
    .filter(text => text.trim() !== '')
  const address = parameters.get('address') || '127.0.0.1'
  if (typed !== '' && parseLane(typed) === undefined) {
    throw new Error(
      `${JSON.stringify(typed)} is not a lane: letters, digits and . _ - between them, at most 63 characters`,
    )
  }
  const decided = line === '' || decide === undefined ? undefined : await decide(await read(line, headers, address))
  // A lane that somebody typed is asked for as if the request carried it.
  const lane = typed !== '' ? typed : decided?.lane
  const rule = decided && { lane: decided.lane ?? 'base', by: decided.by, lines: decided.lines }
  const nothing = {
    lane: lane ?? 'base',
    outcome: '',
    served: '',
    reason: '',
    steps: [],
    candidates: [],
    candidateCount: 0,
  }
  if (service === '' || resolver === undefined) return { ...(rule && { rule }), ...nothing }
  const problem = await learn(resolver, service)
  const explanation = resolver.explain(service, lane)
  const picked =
    explanation.candidateCount === 0 ? undefined : resolver.pick(service, parseLane(lane)).endpoint?.address
  return {
    ...(rule && { rule }),
    ...nothing,
    ...answerOf(explanation),
    ...(picked !== undefined && { picked }),
    ...(problem !== undefined && { error: problem }),
  }
}

async function read(line: string, headers: readonly string[], address: string): Promise<WrittenRequest> {
  // It brings the engine of regular expressions with it, which only this view needs.
  const { parseWrittenRequest } = await import('@laneway/rules/internal')
  return parseWrittenRequest(line, headers, address, { line: 'the request', header: 'a header' })
}

/** As a request would: a name that a URL cannot carry has to be declared. */
async function learn(resolver: LaneResolver, service: string): Promise<string | undefined> {
  try {
    if (resolver.match(service, undefined, false) !== undefined) await resolver.lookup(service)
    else await resolver.ready(service)
    return undefined
  } catch (error) {
    return (error as Error).message
  }
}

function answerOf({ outcome, served, reason, steps, candidates, candidateCount }: Explanation) {
  return {
    outcome,
    served: served ?? (candidateCount === 0 ? 'none' : 'base'),
    reason,
    steps: steps.map(({ tag, endpoints, usable, leftOut, verdict }) => {
      const causes = Object.entries(leftOut).flatMap(([cause, count]) => (count > 0 ? [`${count} ${cause}`] : []))
      const why = causes.length === 0 ? '' : ` (${causes.join(', ')})`
      return { lane: tag ?? 'base', words: `${usable} of ${endpoints} usable${why}`, verdict }
    }),
    candidates: candidates.slice(0, 20),
    candidateCount,
  }
}
