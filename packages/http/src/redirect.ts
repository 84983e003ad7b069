import { AsyncLocalStorage } from 'node:async_hooks'
import type { ClientRequest, IncomingMessage } from 'node:http'

/** The host that the redirect being followed names. Set around the `response` event of a redirect only. */
const followed = new AsyncLocalStorage<string>()

/** Whether the running code follows a redirect to this host. */
export function isRedirectTo(hostname: string): boolean {
  return followed.getStore() === hostname.toLowerCase()
}

/**
 * Lets {@link isRedirectTo} know what comes of a request: axios and got repeat hand-set headers on a redirect, and at the
 * agent that hop looks like any request. Only for requests whose hand-set tag may be kept, so it costs others nothing.
 *
 * @param base - the URL that a relative `Location` is relative to
 */
export function watchRedirect(request: ClientRequest, base: string): void {
  const { emit } = request
  request.emit = function emitWatched(this: ClientRequest, ...args: unknown[]): boolean {
    const target = args[0] === 'response' ? redirectHost(args[1] as IncomingMessage, base) : undefined
    if (target === undefined) return Reflect.apply(emit, this, args) as boolean
    return followed.run(target, () => Reflect.apply(emit, this, args) as boolean)
  } as ClientRequest['emit']
}

function redirectHost(response: IncomingMessage, base: string): string | undefined {
  const { statusCode = 0, headers } = response
  if (statusCode < 300 || statusCode > 399 || headers.location === undefined) return undefined
  try {
    return new URL(headers.location, base).hostname.replace(/^\[|\]$/g, '')
  } catch {
    return undefined
  }
}
