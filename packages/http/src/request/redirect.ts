import type { ClientRequest, IncomingMessage } from 'node:http'
import { expectRedirects, isRedirect, tellOfAnswer, tellOfRedirect } from '@laneway/core'

/**
 * Notes what comes of a request: axios and got repeat hand-set headers on a redirect, and at the agent that hop looks like any
 * request. Only for requests whose hand-set tag may be kept, so it costs others nothing.
 *
 * @param emit - what the request emits with otherwise
 * @param base - the URL that a relative `Location` is relative to
 * @returns what it emits with from now on
 */
export function watchRedirect(emit: ClientRequest['emit'], base: string): ClientRequest['emit'] {
  return function emitWatched(this: ClientRequest, ...args: unknown[]): boolean {
    const tell = () => Reflect.apply(emit, this, args) as boolean
    if (args[0] !== 'response') return tell()
    const { statusCode, rawHeaders } = args[1] as IncomingMessage
    const locations = locationsOf(rawHeaders)
    if (!isRedirect(statusCode, locations)) return tellOfAnswer(tell)
    expectRedirects(base, locations)
    return tellOfRedirect(tell)
  } as ClientRequest['emit']
}

function locationsOf(rawHeaders: readonly string[]): string[] {
  return rawHeaders.filter((_, index) => index % 2 === 1 && rawHeaders[index - 1]!.toLowerCase() === 'location')
}
