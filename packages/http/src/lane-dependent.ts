import type { ClientRequest, IncomingMessage } from 'node:http'
import { lanesSeen } from '@laneway/core'

/** A response with one of these may be stored by a cache of the client. */
const STORED_BY = ['cache-control', 'expires', 'etag', 'last-modified']

/**
 * Marks the response of a request as good for that request only, where a cache of the client (got's `cache`) would
 * otherwise keep it: such a cache stands above the agent and does not see the lane, so it would give the answer of one
 * lane to another. `Vary: *` is how RFC 9111, section 4.1, says that.
 *
 * @param always - else only once this process has met a lane: before that there is nothing to keep apart
 */
export function markLaneDependent(request: ClientRequest, always: boolean): void {
  const { emit } = request
  // No listener: Node drains a response by itself when there is none.
  request.emit = function laneEmit(this: ClientRequest, ...args: [string, ...unknown[]]): boolean {
    if (args[0] === 'response' && (always || lanesSeen())) mark(args[1] as IncomingMessage)
    return Reflect.apply(emit, this, args)
  } as typeof request.emit
}

function mark({ headers, rawHeaders }: IncomingMessage): void {
  if (!STORED_BY.some(name => headers[name] !== undefined)) return
  headers.vary = '*'
  rawHeaders.push('Vary', '*')
}
