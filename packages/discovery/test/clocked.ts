import type { Test } from 'tap'
import type { Choice, EndpointInput, LaneResolverOptions } from '../src/index.js'
import { addressOf, oneService } from './one-service.js'

/** One service on a clock of the test. */
export function clocked(t: Test, endpoints: readonly EndpointInput[], options: Partial<LaneResolverOptions> = {}) {
  let now = 0
  // Chooses whatever is usable, however many requests are in flight there.
  const service = oneService(t, endpoints, { now: () => now, balancer: 'weighted-random', ...options })
  /** A choice that ends at this endpoint. */
  const choiceOf = (lane: string | undefined, input: EndpointInput): Choice => {
    for (let i = 0; i < 200_000; i++) {
      const choice = service.pick(lane)
      if (choice.endpoint?.address === addressOf(input)) return choice
    }
    throw new Error('is not chosen')
  }
  const fail = (choice: Choice, times = 5) => {
    for (let i = 0; i < times; i++) {
      service.resolver.started(choice)
      service.resolver.finished(choice, 'connect-error')
    }
  }
  /** How many endpoints of a lane are chosen. */
  const seen = (lane?: string) => new Set(Array.from({ length: 200 }, () => service.pick(lane).endpoint?.address)).size
  return { ...service, fail, choiceOf, seen, at: (ms: number) => (now = ms) }
}
