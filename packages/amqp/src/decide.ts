import { type MessageDecision, type MessageLanes, ownHeader, removeHeader } from '@laneway/messaging/internal'
import type { AmqpMessage } from './amqp.js'

/** Decides the lane of a message and removes from it what was refused. */
export function decide(message: AmqpMessage, lanes: MessageLanes): MessageDecision {
  const { headers } = message.properties
  const decision = lanes.incoming(ownHeader(headers, lanes.header), message)
  if (decision.problem !== undefined || decision.stripped) removeHeader(headers, lanes.header)
  return decision
}
