import {
  type BalancerName,
  createLaneResolver,
  type EndpointInput,
  type LaneResolver,
  type Source,
  type SourceListener,
} from '@laneway/discovery'

export const SERVICE = 'sc-b'
export const SIZES = { '10': 10, '1k': 1000, '10k': 10_000, '100k': 100_000 } as const
export type Size = keyof typeof SIZES

/** Of five endpoints three are base, one is gray, one blue. */
export function endpoints(count: number, weighted = false): EndpointInput[] {
  return Array.from({ length: count }, (_, i) => ({
    host: `10.${(i >> 16) & 255}.${(i >> 8) & 255}.${i & 255}`,
    port: 8080,
    ...(weighted && { weight: 1 + (i % 3) }),
    health: 'healthy' as const,
    tags: i % 5 === 3 ? ['gray'] : i % 5 === 4 ? ['blue'] : [],
    metadata: { 'preserved.register.source': 'BENCH', version: `1.${i % 7}.0` },
  }))
}

/** A source that reports what it is told to. */
export class Pushed implements Source {
  readonly name = 'bench'
  listener: SourceListener | undefined
  #endpoints: readonly EndpointInput[]
  constructor(first: readonly EndpointInput[]) {
    this.#endpoints = first
  }
  subscribe(_service: string, listener: SourceListener): () => void {
    this.listener = listener
    listener.snapshot(this.#endpoints)
    return () => {}
  }
  async close(): Promise<void> {}
}

export async function resolverOf(
  list: readonly EndpointInput[],
  balancer: BalancerName,
): Promise<[LaneResolver, Pushed]> {
  const source = new Pushed(list)
  const resolver = createLaneResolver({ sources: [source], services: [SERVICE], balancer })
  await resolver.ready(SERVICE)
  return [resolver, source]
}
