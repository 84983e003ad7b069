import { parseLane } from '@laneway/core'
import { serviceHandle } from '@laneway/core/internal'
import type { Test } from 'tap'
import {
  type Choice,
  createLaneResolver,
  createStaticSource,
  type EndpointInput,
  type LaneResolver,
  type LaneResolverOptions,
} from '../src/index.js'

let port = 1000

/** An endpoint input of a port of its own. */
export function endpoint(more: Partial<EndpointInput> = {}): EndpointInput {
  port = port === 60_000 ? 1000 : port + 1
  return { host: '10.0.0.1', port, ...more }
}

export interface OneService {
  readonly resolver: LaneResolver
  /** By a handle that is kept all the time, as adapters pick. */
  pick(lane?: string, tried?: Iterable<string>): Choice
  /** Outcome and the index of the chosen endpoint among the inputs. */
  outcome(lane?: string, tried?: Iterable<string>): string
  update(endpoints: readonly EndpointInput[]): void
}

/** A resolver of the one service `sc-B`, closed with the test. */
export function oneService(
  t: Test,
  endpoints: readonly EndpointInput[],
  options: Partial<LaneResolverOptions> = {},
): OneService {
  const source = createStaticSource({ 'sc-B': endpoints })
  const resolver = createLaneResolver({ sources: [source], services: ['sc-B'], env: {}, ...options })
  t.teardown(() => resolver.close())
  let current = endpoints
  const handle = serviceHandle<Choice>(resolver, { hostname: 'sc-b', port: undefined, secure: false })
  const pick = (lane?: string, tried?: Iterable<string>) => {
    handle.match()
    return handle.pick('sc-B', parseLane(lane), tried === undefined ? undefined : new Set(tried))
  }
  return {
    resolver,
    pick,
    outcome(lane, tried) {
      const choice = pick(lane, tried)
      const { outcome, served } = choice
      const index = current.findIndex(input => addressOf(input) === choice.endpoint?.address)
      return `${outcome}${served === undefined ? '' : ` of ${served}`}${index === -1 ? '' : ` at ${index}`}`
    },
    update(next) {
      current = next
      source.update({ 'sc-B': next })
    },
  }
}

export function addressOf(input: EndpointInput): string {
  return `${input.host}:${input.port}`
}
