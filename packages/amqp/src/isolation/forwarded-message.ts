import type { AmqpMessage } from '../amqp.js'
import { FORWARD_HEADER, type ForwardOptions } from './helper-channels.js'
import { laneQueue, WAITING } from './topology.js'

/** What of the original message cannot travel under its own name. */
const EXCHANGE = 'x-laneway-exchange'
const KEPT = 'x-laneway-kept'

interface Death {
  readonly queue?: unknown
  readonly reason?: unknown
  readonly count?: number
}

interface Kept {
  readonly expiration?: unknown
  readonly userId?: unknown
  readonly CC?: unknown
  readonly deaths?: unknown
}

/** The message as it goes to the queue of its lane. */
export function forwardOptions(message: AmqpMessage, queue: string): ForwardOptions {
  const { headers = {}, expiration, userId, ...properties } = message.properties
  const { CC, 'x-death': deaths, ...rest } = headers
  const already = headers[KEPT] as Kept | undefined
  // RabbitMQ drops a message that expires towards a queue in which it has expired before.
  const hides = deathsOf(message).some(death => death.queue === queue && death.reason !== 'rejected')
  const kept = {
    ...already,
    // Of two times to live the shorter wins: the message would be lost in the lane.
    ...(expiration !== undefined && { expiration }),
    // The broker compares it with the user of the connection.
    ...(userId !== undefined && { userId }),
    // The broker would send copies to these again.
    ...(CC !== undefined && { CC }),
    ...(hides && { deaths }),
  }
  return {
    ...given(properties),
    headers: {
      ...rest,
      ...(deaths !== undefined && !hides && { 'x-death': deaths }),
      [EXCHANGE]: headers[EXCHANGE] ?? message.fields.exchange,
      ...(Object.keys(kept).length > 0 && { [KEPT]: kept }),
    },
  }
}

/** Makes a forwarded message, in the lane or back at base, the original again: for its handler. */
export function restore(message: AmqpMessage, queue: string, tags: readonly string[]): void {
  const { headers } = message.properties
  if (headers === undefined || !Object.hasOwn(headers, EXCHANGE)) return
  const { expiration, userId, CC, deaths } = (headers[KEPT] ?? {}) as Kept
  message.fields.exchange = String(headers[EXCHANGE])
  if (expiration !== undefined) message.properties.expiration = expiration
  if (userId !== undefined) message.properties.userId = userId
  if (CC !== undefined) headers['CC'] = CC
  const own = [...tags, WAITING].map(tag => laneQueue(queue, tag))
  const others = deathsOf(message).filter(death => !own.includes(String(death.queue)))
  if (deaths !== undefined) headers['x-death'] = deaths
  else if (others.length > 0) headers['x-death'] = others
  else delete headers['x-death']
  for (const when of ['first', 'last']) {
    if (!own.includes(String(headers[`x-${when}-death-queue`]))) continue
    for (const what of ['exchange', 'queue', 'reason']) delete headers[`x-${when}-death-${what}`]
  }
  for (const name of [EXCHANGE, KEPT, FORWARD_HEADER]) delete headers[name]
}

/** How often a message came back from the queue of its lane; 0 for one that was never there. */
export function returnsOf(message: AmqpMessage, queue: string, tags: readonly string[]): number {
  if (!wasForwarded(message)) return 0
  const own = tags.map(tag => laneQueue(queue, tag))
  const death = deathsOf(message).find(({ queue: from, reason }) => own.includes(String(from)) && reason === 'expired')
  const waited = deathsOf(message)[0]?.queue === laneQueue(queue, WAITING)
  return death?.count ?? (waited ? 0 : 1)
}

/** Whether the handler in the lane has refused the message for good: then base refuses it, so that the queue's own dead letters apply. */
export function isRejectedByLane(message: AmqpMessage, queue: string, tags: readonly string[]): boolean {
  if (!wasForwarded(message)) return false
  const [last] = deathsOf(message)
  const { queue: from, reason } = last ?? {}
  return (reason === 'rejected' || reason === 'delivery_limit') && tags.some(tag => from === laneQueue(queue, tag))
}

function wasForwarded({ properties: { headers } }: AmqpMessage): boolean {
  return headers !== undefined && Object.hasOwn(headers, EXCHANGE)
}

/** Latest first. */
function deathsOf({ properties: { headers } }: AmqpMessage): readonly Death[] {
  const deaths = headers?.['x-death']
  return Array.isArray(deaths) ? deaths : []
}

function given(properties: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(properties).filter(([, value]) => value !== undefined))
}
