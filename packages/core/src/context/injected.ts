import { Socket } from 'node:net'
import { decisionOf, type Ingress, type IngressDecision } from '../ingress/ingress.js'
import type { IngressRequest } from '../ingress/request.js'

/**
 * Decides the lane of a request that a program hands to its framework itself, without a server, as light-my-request does.
 * It is a request of its own: without a tag it has no lane, also when it is made while another request is served.
 *
 * @returns `undefined` when the request came over a socket, or is no request: then it is not decided here. Never throws
 */
export function decideInjected(ingress: Ingress, request: unknown): IngressDecision | undefined {
  if (typeof request !== 'object' || request === null) return undefined
  const { headers, socket } = request as Partial<IngressRequest>
  if (typeof headers !== 'object' || headers === null || socket instanceof Socket) return undefined
  return decisionOf(request) ?? ingress(request as IngressRequest)
}
