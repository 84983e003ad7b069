import type { ClientRequest, IncomingMessage } from 'node:http'
import { expectRedirects, isRedirect, reportAnswer, reportRedirect } from '@laneway/core/internal'
import type { HopOptions } from '../node-internals.js'
import type { Target } from './target.js'

/**
 * Notes the redirects of a request. axios and got repeat hand-set headers on a redirect, and at the agent that hop looks like
 * any request. Only requests whose hand-set tag may be kept are watched, so others pay nothing.
 *
 * @param emit - what the request emits with otherwise
 * @param base - the URL that a relative `Location` is relative to
 * @returns what it emits with from now on
 */
export function watchRedirect(emit: ClientRequest['emit'], base: string): ClientRequest['emit'] {
  return function emitWatched(this: ClientRequest, ...args: unknown[]): boolean {
    const report = () => Reflect.apply(emit, this, args) as boolean
    if (args[0] !== 'response') return report()
    const { statusCode, rawHeaders } = args[1] as IncomingMessage
    const locations = locationsOf(rawHeaders)
    if (!isRedirect(statusCode, locations)) return reportAnswer(report)
    expectRedirects(base, locations)
    return reportRedirect(report)
  } as ClientRequest['emit']
}

function locationsOf(rawHeaders: readonly string[]): string[] {
  return rawHeaders.filter((_, index) => index % 2 === 1 && rawHeaders[index - 1]!.toLowerCase() === 'location')
}

/** The URL to which a relative `Location` is relative. */
export function baseUrl(target: Target, hop: HopOptions): string {
  const scheme = target.secure ? 'https' : 'http'
  const host =
    target.hostname.includes(':') && !target.hostname.startsWith('[') ? `[${target.hostname}]` : target.hostname
  const port = target.port ?? hop.port
  return `${scheme}://${host}${port === undefined || port === null ? '' : `:${port}`}/`
}
