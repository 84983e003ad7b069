import type { ClientRequest } from 'node:http'
import { LanewayError } from '@laneway/core'
import { isRendered, renderedValues, rewriteHeader } from './rendered-head.js'

/** All values of a header of a request, whose head may be text already. */
export function values(request: ClientRequest, name: string): string | readonly string[] | undefined {
  if (isRendered(request)) {
    const lines = renderedValues(request, name)
    return lines?.length === 1 ? lines[0] : lines
  }
  const value = request.getHeader(name)
  return typeof value === 'number' ? String(value) : value
}

/** The first value of a header. */
export function firstValue(request: ClientRequest, name: string): string | undefined {
  const value = values(request, name)
  return typeof value === 'string' ? value : value?.[0]
}

/**
 * Gives a request one line of a header, or none.
 *
 * @throws LanewayError `LANEWAY_HEADERS_SENT`
 */
export function write(request: ClientRequest, name: string, value: string | undefined): void {
  if (isRendered(request)) {
    if (rewriteHeader(request, name, value)) return
    throw new LanewayError(
      'LANEWAY_HEADERS_SENT',
      `the head of a request was written before "${name}" could be ${value === undefined ? 'removed' : 'set'}`,
    )
  }
  if (value === undefined) request.removeHeader(name)
  else request.setHeader(name, value)
}
