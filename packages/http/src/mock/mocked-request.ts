import { ClientRequest } from 'node:http'
import type { HopOptions } from '../node-internals.js'
import { hooksOf } from '../request/request-hooks.js'

/** A request of nock up to 13, which replaces `http.ClientRequest`: it has its own options on it and asks no agent. */
type MockedRequest = ClientRequest & { options?: HopOptions & { proto?: unknown }; interceptors?: unknown }

/** Called in the lane of the caller, before the mock looks at the headers. */
export type TagMocked = (request: ClientRequest, options: HopOptions, secure: boolean) => void

/**
 * Lets such a mock see the tag. The mock asks for all headers of a request at once before it looks for an answer, so
 * `getHeaders` tags. Other code hardly ever calls it, so real requests pay nothing.
 *
 * @param prototype - that of `http.ClientRequest`
 */
export function tagMockedRequests(prototype: ClientRequest, tag: TagMocked): void {
  const { getHeaders: original } = prototype
  Object.defineProperty(prototype, 'getHeaders', {
    configurable: true,
    enumerable: false,
    writable: true,
    value: function getHeaders(this: MockedRequest) {
      const { options } = this
      if (Array.isArray(this.interceptors) && typeof options?.proto === 'string' && hooksOf(this) === undefined) {
        // The `host` of such a mock includes the port.
        tag(this, { ...options, host: options.hostname ?? options.host }, options.proto === 'https')
      }
      return original.call(this)
    },
  })
}

const kTag = Symbol('laneway.tag.mocked')

let watching = false

/** Lets a mock see the tag of requests that are meant for an agent. */
export function tagMockedRequestsOf(agent: object, tag: TagMocked): void {
  ;(agent as { [kTag]?: TagMocked })[kTag] = tag
  if (watching) return
  watching = true
  tagMockedRequests(ClientRequest.prototype, (request, options, secure) => {
    ;(Object(options['agent']) as { [kTag]?: TagMocked })[kTag]?.(request, options, secure)
  })
}
