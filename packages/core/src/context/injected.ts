import { Socket } from 'node:net'
import { decisionOf, type Ingress, type IngressDecision, inheritLane } from '../ingress/ingress.js'
import type { IngressRequest } from '../ingress/request.js'
import { slot } from './context-slot.js'

/**
 * Decides the lane of a request that a program hands to its framework itself, without a server, as light-my-request does.
 *
 * @param inherits - one that carries no lane, and is made while a request is served, belongs to that request
 * @returns `undefined` when the request came over a socket, or is no request: then it is not decided here. Never throws
 */
export function decideInjected(ingress: Ingress, request: unknown, inherits: boolean): IngressDecision | undefined {
  if (typeof request !== 'object' || request === null) return undefined
  const { headers, socket } = request as Partial<IngressRequest>
  if (typeof headers !== 'object' || headers === null || socket instanceof Socket) return undefined
  const earlier = decisionOf(request)
  if (earlier !== undefined) return earlier
  const decision = ingress(request as IngressRequest)
  const around = inherits ? slot.storage.getStore() : undefined
  if (around === undefined || decision.lane !== undefined || decision.stripped) return decision
  return inheritLane(request, around)
}
