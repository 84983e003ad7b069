// What the services saw, and the path that this should give.
import type { LanePath, PathCall } from '@laneway/core'
import type { Plan, Step } from './plan.js'

/** A request as the service saw it. */
export interface Arrival {
  readonly service: string
  /** The tag of the instance; empty for base. */
  readonly tag: string
  readonly port: number
  /** Of the code that served it; empty for none. */
  readonly lane: string
  /** What came in `x-laneway-trace`, before any code of Laneway. */
  readonly asked: string | undefined
}

/** By the id of the plan that they were to carry out. */
export const arrivals = new Map<string, Arrival[]>()

const waiting = new Map<string, () => void>()

export function arrived(id: string, arrival: Arrival): void {
  arrivals.set(id, [...(arrivals.get(id) ?? []), arrival])
  waiting.get(id)?.()
  waiting.delete(id)
}

/** Resolves when a request has come to its service. */
export function arrivalOf(id: string): Promise<void> {
  return new Promise(resolve => (arrivals.has(id) ? resolve() : waiting.set(id, resolve)))
}

const ends = new Map<string, () => void>()

/** Resolves when the whole request that a plan belongs to has its answer. */
export function endOf(id: string): Promise<void> {
  const [root = ''] = id.split('.')
  return new Promise(resolve => {
    const before = ends.get(root)
    ends.set(root, () => {
      before?.()
      resolve()
    })
  })
}

export function answered(root: string): void {
  ends.get(root)?.()
  ends.delete(root)
}

/** A path without times, in an order that does not depend on them. */
export function actualText({ service, ownLane, lane, calls, cut }: LanePath): string {
  const texts = calls.map(callText).filter(text => text !== undefined)
  return `${service}[${ownLane ?? ''}]{${lane ?? ''}}(${texts.sort().join(' ')})${cut > 0 ? `cut ${cut}` : ''}`
}

function callText(call: PathCall): string | undefined {
  const { target, lane, served, address, status, path } = call
  // The dead instance has seen nothing; that such attempts go to it alone is looked at where the calls are made.
  if (status === 'connect-error' && address?.endsWith(':1')) return undefined
  return text(target, lane, served, address, status, path === undefined ? undefined : actualText(path))
}

function text(
  target: string,
  lane: string | undefined,
  served: string | undefined,
  address: string | undefined,
  status: string | number,
  path: string | undefined,
): string {
  return `<${target} ${lane ?? ''} ${served ?? ''} ${address ?? ''} ${status} ${path ?? '-'}>`
}

/** The same of what the services saw. */
export function seenText(plan: Plan, arrival: Arrival): string {
  const texts = plan.steps.flatMap(step => stepTexts(step, arrival.lane))
  return `${arrival.service}[${arrival.tag}]{${arrival.lane}}(${texts.sort().join(' ')})`
}

/** The kinds that their service sees twice. */
const TWICE = new Set<Step['kind']>(['retry', 'again', 'redirect'])

function stepTexts({ kind, to, via, plan }: Step, lane: string): string[] {
  const seen = arrivals.get(plan.id) ?? []
  const good = via === 'grpc' ? 'grpc 0' : 200
  if (kind === 'outside') {
    const clean = seen.length === 1 && seen[0]!.asked === undefined && seen[0]!.lane === ''
    return [clean ? text('api.example.com', lane, '', '', 200, undefined) : `third party saw ${JSON.stringify(seen)}`]
  }
  const of = (arrival: Arrival, status: string | number, path: string | undefined) =>
    text(`sc-${to}`, lane, arrival.tag, `127.0.0.1:${arrival.port}`, status, path)
  if (seen.length !== (TWICE.has(kind) ? 2 : 1)) return [`${plan.id} came ${seen.length} times`]
  const [first, last = first] = seen as [Arrival, Arrival?]
  const none = { id: plan.id, steps: [] }
  switch (kind) {
    case 'retry':
    case 'again':
      // What a policy of grpc-js repeats stays below its client.
      if (via === 'grpc' && kind === 'retry')
        return [of(first, 'repeated', undefined), of(last, good, seenText(plan, last))]
      return [of(first, via === 'grpc' ? 'grpc 14' : 503, seenText(none, first)), of(last, good, seenText(plan, last))]
    case 'redirect':
      return [of(first, 302, seenText(none, first)), of(last, 200, seenText(plan, last))]
    case 'abort':
      return [of(first, 'aborted', undefined)]
    case 'late':
      return [of(first, 'open', undefined)]
    case 'cut':
      return [via === 'grpc' ? of(first, 'grpc 1', undefined) : of(first, 200, seenText(none, first))]
    case 'stream':
      if (via === 'grpc') return [of(first, good, seenText(plan, first))]
      // The head goes first: nothing of what follows can be in it.
      return [of(first, 200, seenText(none, first))]
    default:
      return [of(first, good, seenText(plan, first))]
  }
}
