import { LanewayError } from '@laneway/core'
import type { Explanation } from './explain/explanation.js'
import type { LaneResolver } from './resolver.js'
import type { Source } from './source/source.js'
import { TableChoice } from './table/seat.js'

const REASON = 'LANEWAY_DISABLE switches discovery off'

/**
 * The resolver of a process in which `LANEWAY_DISABLE` switches discovery off: no host is a service, nothing is waited for, and no
 * source is asked. A program that waits for `ready()` starts although its registry is down.
 */
export function idleResolver(sources: readonly Source[], closeSources: boolean): LaneResolver {
  let closing: Promise<void> | undefined
  const explain = (service: string): Explanation => ({
    service,
    lane: undefined,
    status: 'unknown',
    declared: false,
    source: undefined,
    ageMs: undefined,
    error: undefined,
    endpoints: 0,
    outcome: 'not-ready',
    served: undefined,
    policy: undefined,
    steps: [],
    candidates: [],
    candidateCount: 0,
    reason: REASON,
  })
  return {
    match: () => undefined,
    pick: service => new TableChoice(service, undefined, 'not-ready', undefined, undefined),
    started() {},
    finished() {},
    mayReconnect: () => false,
    ready: async () => {},
    lookup: async () => {},
    explain,
    refusal: ({ service }) => new LanewayError('LANEWAY_NOT_READY', `${service} is not resolved: ${REASON}`),
    state: () => undefined,
    states: () => [],
    health: () => ({ status: 'ok', ready: true, sources: [], services: [], warnings: [] }),
    onEndpointGone: () => () => {},
    update() {},
    close() {
      closing ??= closeSources ? Promise.all(sources.map(source => source.close())).then(() => {}) : Promise.resolve()
      return closing
    },
  }
}
