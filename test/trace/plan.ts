// What a request of the suite does: a random tree of calls, drawn from a seed so that a failure can be repeated.

/** Who makes a call. */
export type Via = 'undici' | 'fetch' | 'http' | 'axios' | 'got' | 'grpc'

/** Of a gRPC call, in the words of its specification. */
export type Shape = 'unary' | 'client-streaming' | 'server-streaming' | 'bidi'

/** One call of a plan. */
export interface Step {
  /** `retry`: its client calls again after a failure; `again`: its program does; `cut`: a stream that its caller leaves. */
  readonly kind: 'call' | 'retry' | 'again' | 'redirect' | 'stream' | 'cut' | 'abort' | 'late' | 'outside' | 'dead'
  readonly via: Via
  readonly shape: Shape
  readonly to: string
  readonly plan: Plan
  /** Begins while the one before goes on. */
  readonly together: boolean
}

/** What a service does before it answers. */
export interface Plan {
  readonly id: string
  readonly steps: readonly Step[]
}

/**
 * The plans that are carried out when their service has sent its head: such calls are in no path. The path of a gRPC call comes
 * in the trailers, behind all messages.
 */
export function behindHeads({ steps }: Plan, below = false): string[] {
  return steps.flatMap(({ kind, via, plan }) => {
    const behind = below || (kind === 'stream' && via !== 'grpc')
    return [...(below ? [plan.id] : []), ...behindHeads(plan, behind)]
  })
}

/** A generator of numbers, 0 <= n < 1 (mulberry32). */
export function randomOf(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

const KINDS: Record<Via, readonly Step['kind'][]> = {
  undici: ['call', 'call', 'retry', 'again', 'redirect', 'stream', 'cut', 'abort', 'late', 'outside', 'dead'],
  fetch: ['call', 'call', 'again', 'redirect', 'stream', 'cut', 'abort', 'late', 'outside', 'dead'],
  http: ['call', 'call', 'again', 'redirect', 'stream', 'cut', 'abort', 'late', 'outside', 'dead'],
  axios: ['call', 'again', 'redirect', 'stream', 'cut', 'abort', 'late', 'outside', 'dead'],
  got: ['call', 'retry', 'again', 'redirect', 'stream', 'cut', 'abort', 'late', 'outside', 'dead'],
  grpc: ['call', 'call', 'retry', 'again', 'stream', 'stream', 'cut', 'abort', 'late', 'dead'],
}
const VIAS = ['undici', 'fetch', 'http', 'axios', 'got', 'grpc', 'grpc'] as const
const ALL_SHAPES: readonly Shape[] = ['unary', 'client-streaming', 'server-streaming', 'bidi']
const SHAPES: Partial<Record<Step['kind'], readonly Shape[]>> = {
  call: ['unary'],
  stream: ['client-streaming', 'server-streaming', 'bidi'],
  cut: ['server-streaming', 'bidi'],
}
/** Whose answers have nothing of their own to tell. */
const WITHOUT_STEPS = new Set<Step['kind']>(['cut', 'abort', 'late', 'outside', 'dead'])

/** Draws a plan. @param depth - services below each other */
export function drawPlan(random: () => number, id: string, depth: number): Plan {
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)]!
  const count = depth === 0 ? 0 : Math.floor(random() * 4)
  const steps = Array.from({ length: count }, (_, index): Step => {
    const via = pick(VIAS)
    const kind = pick(KINDS[via])
    const shape = via === 'grpc' ? pick(SHAPES[kind] ?? ALL_SHAPES) : 'unary'
    const to = via === 'grpc' ? (kind === 'dead' ? 'f' : 'd') : kind === 'dead' ? 'e' : pick(['a', 'b', 'c'])
    const plan = drawPlan(random, `${id}.${index}`, WITHOUT_STEPS.has(kind) ? 0 : depth - 1)
    return { kind, via, shape, to, plan, together: random() < 0.3 }
  })
  return { id, steps }
}
