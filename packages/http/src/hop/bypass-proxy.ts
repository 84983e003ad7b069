import type { ClientRequest } from 'node:http'
import type { HopOptions } from '../node-internals.js'
import { isRendered, rewriteTarget } from '../request/rendered-head.js'
import { firstValue, write } from '../request/request-headers.js'
import type { Target } from '../request/target.js'

/**
 * Set on the options of a request that another agent was asked to send, such as a proxy. Gives the request back to that agent
 * when its target is no service.
 */
export const kGiveBack: unique symbol = Symbol('laneway.giveBack')

/** Connects a request whose target is no service: by the agent that the caller chose, else by this one. */
export function connectOutside(
  options: HopOptions,
  request: ClientRequest,
  connect: (request: ClientRequest, options: HopOptions) => void,
): void {
  const giveBack = options[kGiveBack] as (() => void) | undefined
  if (giveBack === undefined) connect(request, options)
  else giveBack()
}

/**
 * Whether a request goes to a proxy unless its target is a service. Such a request must have neither a socket nor a changed
 * head before that is known.
 */
export function isForProxy(options: HopOptions, target: Target): boolean {
  return target.originForm !== undefined || options[kGiveBack] !== undefined
}

/**
 * Turns a request to a proxy into one to the origin, without the headers for the proxy.
 *
 * @throws LanewayError `LANEWAY_HEADERS_SENT`
 */
export function bypassProxy(request: ClientRequest, options: HopOptions, target: Target): void {
  const { originForm, authority } = target
  if (originForm === undefined) return
  write(request, 'proxy-authorization', undefined)
  write(request, 'proxy-connection', undefined)
  const host = firstValue(request, 'host')
  // The proxy's own name is there when the client left Host to Node.
  const proxy = String(options.host)
  if (host === undefined || host === proxy || host === `${proxy}:${options.port}`) write(request, 'host', authority)
  if (isRendered(request)) rewriteTarget(request, originForm)
  request.path = originForm
}
