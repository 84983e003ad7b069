import { LanewayError } from '@laneway/core'
import type { EndpointInput } from '../endpoint/endpoint.js'
import { parseEndpoint } from '../endpoint/parse-endpoint.js'
import { PublishedServices } from './published-services.js'
import { ReadLists } from './read-lists.js'
import type { Source } from './source.js'

/** Endpoints by service name. */
export type StaticServices = Readonly<Record<string, readonly EndpointInput[]>>

/** A source whose endpoints the program itself gives. */
export interface StaticSource extends Source {
  /**
   * Replaces all services; one that is left out is missing from then on.
   * @throws LanewayError `LANEWAY_INVALID_ENDPOINT`, and nothing changes
   */
  update(services: StaticServices): void
}

/**
 * A source from a fixed list: for tests, demos, and services that never move. May be shared by several resolvers.
 *
 * @throws LanewayError `LANEWAY_INVALID_ENDPOINT`
 */
export function createStaticSource(services: StaticServices = {}): StaticSource {
  const published = new PublishedServices()
  const lists = new ReadLists()
  const publish = (next: StaticServices) => published.replace(lists.readAll(Object.entries(next), check))
  publish(services)
  return {
    name: 'static',
    subscribe: (service, listener) => published.subscribe(service, listener),
    list: listener => published.list(listener),
    connection: () => ({ connected: true }),
    update: publish,
    close: async () => published.close(),
  }
}

function check(service: string, endpoints: readonly EndpointInput[]): readonly EndpointInput[] {
  if (!Array.isArray(endpoints)) {
    throw new LanewayError('LANEWAY_INVALID_ENDPOINT', `the endpoints of ${service} are a list`)
  }
  endpoints.forEach((endpoint, index) => {
    parseEndpoint(endpoint, {
      // Whether it may be used is the resolver's decision; here only its form is.
      allowLinkLocal: true,
      refused: problem => {
        throw new LanewayError('LANEWAY_INVALID_ENDPOINT', `${service}[${index}]: ${problem}`)
      },
    })
  })
  return [...endpoints]
}
