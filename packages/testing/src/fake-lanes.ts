import { BASE_TAG, LanewayError } from '@laneway/core'
import { headerName, type OptionTable, readOptions } from '@laneway/core/internal'
import { createLaneResolver, createStaticSource, type EndpointInput, type LaneResolver } from '@laneway/discovery'
import { LaneAgent } from '@laneway/http'
import { createLaneFetch, type LaneFetch } from '@laneway/undici'
import { type FakeAnswer, type FakeInstance, startInstance } from './instance/fake-instance.js'
import type { FakeRequest } from './instance/fake-request.js'
import { watchLeaks } from './leaks/leak-watch.js'
import type { Leak } from './leaks/tagged-request.js'
import { announce } from './registered/announce.js'
import { createEndpointsFile } from './registered/endpoints-file.js'

/** Services by name, each with what its instances answer: `base`, and the tags of its lanes. */
export type FakeServices = Readonly<Record<string, Readonly<Record<string, FakeAnswer>>>>

/** Options of {@link fakeLanes}. */
export interface FakeLanesOptions {
  /** The header that carries the lane. @default 'x-mse-tag', as everywhere */
  readonly header?: string
}

/** Stub instances, and what arrived at them. */
export interface FakeLanes {
  /** For the clients of the code under test: `composeLane(new Agent(), { resolver: lanes.resolver })`. */
  readonly resolver: LaneResolver
  /** A `fetch` with the resolver, for code that takes one. */
  readonly fetch: LaneFetch
  /** An `http.Agent` with the resolver, for axios, got and `http.get`. */
  readonly agent: LaneAgent
  /**
   * Environment for a child process under `@laneway/register`: it finds the stub instances there. Writes a file that `close()`
   * removes.
   */
  readonly env: { readonly LANEWAY_ENDPOINTS_FILE: string }
  /** What arrived at all instances, in order. */
  readonly requests: readonly FakeRequest[]
  /** Requests with a tag that went to hosts outside; see `assertNoLeaks`. */
  readonly leaks: readonly Leak[]
  /** The header that carries the lane, lower case. */
  readonly header: string
  /** Forgets what arrived and what leaked, for a `beforeEach`. */
  reset(): void
  /** Stops everything; no handle stays open. A second call does nothing. */
  close(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

const OPTIONS = { header: headerName } satisfies OptionTable<FakeLanesOptions>

/**
 * Starts a stub instance for each lane of each service on 127.0.0.1, with a resolver that finds them and no other service.
 * Where `@laneway/testing/register` was preloaded, code under `@laneway/register` finds them too.
 *
 * @example
 * await using lanes = await fakeLanes({ 'sc-b': { base: 'from base', gray: 'from gray' } })
 * await runInLane('gray', () => lanes.fetch('http://sc-b/prices'))
 * expectLane(lanes.requests[0], 'gray')
 * @throws LanewayError `LANEWAY_INVALID_OPTION`, `LANEWAY_INVALID_TAG`, `LANEWAY_INVALID_ENDPOINT`
 */
export async function fakeLanes(services: FakeServices, options: FakeLanesOptions = {}): Promise<FakeLanes> {
  const { header } = readOptions('fakeLanes', options, OPTIONS)
  assertServices(services)
  const requests: FakeRequest[] = []
  const instances: FakeInstance[] = []
  const endpoints: Record<string, EndpointInput[]> = {}
  const undo: (() => unknown)[] = [() => Promise.all(instances.map(one => one.close()))]
  const close = async () => {
    for (const step of undo.splice(0).reverse()) await step()
  }
  try {
    for (const [service, lanes] of Object.entries(services)) {
      const list: EndpointInput[] = []
      endpoints[service] = list
      for (const [tag, answer] of Object.entries(lanes)) {
        const instance = await startInstance(service, tag, answer, header, request => requests.push(request))
        instances.push(instance)
        list.push({ host: '127.0.0.1', port: instance.port, tags: tag === BASE_TAG ? [] : [tag] })
      }
    }
    // Not of the environment of the tests: only the stubs are services.
    const resolver = createLaneResolver({
      sources: [createStaticSource(endpoints)],
      services: Object.keys(services),
      env: {},
    })
    undo.push(() => resolver.close())
    undo.push(announce(endpoints))
    const file = createEndpointsFile(endpoints)
    undo.push(file.remove)
    const agent = new LaneAgent({ resolver, header })
    undo.push(() => agent.destroy())
    const watch = watchLeaks(header, host => resolver.match(host, undefined, false) !== undefined)
    undo.push(watch.close)
    return {
      resolver,
      fetch: createLaneFetch({ resolver, header }),
      agent,
      get env() {
        return { LANEWAY_ENDPOINTS_FILE: file.path }
      },
      requests,
      leaks: watch.leaks,
      header,
      reset() {
        requests.length = 0
        watch.leaks.length = 0
      },
      close,
      [Symbol.asyncDispose]: close,
    }
  } catch (error) {
    await close()
    throw error
  }
}

function assertServices(services: FakeServices): void {
  for (const [service, lanes] of Object.entries(Object(services) as FakeServices)) {
    const isObject = typeof lanes === 'object' && lanes !== null && !Array.isArray(lanes)
    const wrong = isObject ? Object.entries(lanes).find(([, answer]) => !isAnswer(answer)) : [service, lanes]
    if (wrong === undefined) continue
    throw new LanewayError(
      'LANEWAY_INVALID_OPTION',
      `fakeLanes: "${service}" takes an object such as { base: 'from base', gray: (request, response) => … }`,
    )
  }
}

function isAnswer(answer: unknown): answer is FakeAnswer {
  return typeof answer === 'string' || typeof answer === 'function' || (typeof answer === 'object' && answer !== null)
}
