import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { ClientRequest } from 'node:http'
import { hostOf, type Leak, leakOf } from './tagged-request.js'

/** Watches what leaves this process. */
export interface LeakWatch {
  /** Requests with a tag to hosts outside, in the order in which they were sent. */
  readonly leaks: Leak[]
  close(): void
}

/** `node:http` publishes it when the head of a request has been written. */
const NODE = 'http.client.request.start'
/** Every copy of undici publishes it with the head, the built-in `fetch` included. */
const UNDICI = 'undici:client:sendHeaders'

/**
 * Watches the heads of all requests of `node:http` and undici, whoever makes them, with Laneway's clients or without, as they
 * go on the wire.
 *
 * @param header - lower case
 * @param isService - whether a host is that of a stub; it may have the tag
 */
export function watchLeaks(header: string, isService: (host: string) => boolean): LeakWatch {
  const leaks: Leak[] = []
  const tag = new RegExp(`^${header.replace(/[^\w-]/g, '\\$&')}: *(.*?) *\r?$`, 'im')
  const hostLine = /^(?:host|:authority): *(.*?) *\r?$/im

  function look(head: string, connected: string, method: string, path: string): void {
    const lane = tag.exec(head)?.[1]
    if (lane === undefined) return
    const { hostname, rest } = target(path, hostOf(connected, hostLine.exec(head)?.[1]), method)
    const leak = leakOf(hostname, lane, method, rest)
    if (leak !== undefined && !isService(leak.host)) leaks.push(leak)
  }
  function onNode(message: unknown): void {
    const { request } = message as { request: ClientRequest & { _header?: string | null } }
    look(request._header ?? '', request.host, request.method, request.path)
  }
  function onUndici(message: unknown): void {
    const { request, headers } = message as {
      request: { origin?: string | URL; method: string; path: string }
      headers: string
    }
    look(headers, new URL(String(request.origin)).hostname, request.method, request.path)
  }
  subscribe(NODE, onNode)
  subscribe(UNDICI, onUndici)
  return {
    leaks,
    close() {
      unsubscribe(NODE, onNode)
      unsubscribe(UNDICI, onUndici)
    },
  }
}

/** A request to a proxy names its target in the path. */
function target(path: string, host: string, method: string): { hostname: string; rest: string } {
  if (method === 'CONNECT') return { hostname: hostOf(path.replace(/:\d+$/, ''), undefined), rest: path }
  if (!/^https?:\/\//i.test(path) || !URL.canParse(path)) return { hostname: host, rest: path }
  const { hostname, pathname, search } = new URL(path)
  return { hostname, rest: pathname + search }
}
