import type { MessageDecision, MessageLanes } from '@laneway/messaging/internal'
import type { AmqpMessage } from './amqp.js'

/** Decides the lane of a message and removes from it what was refused. */
export function decide(message: AmqpMessage, lanes: MessageLanes): MessageDecision {
  return lanes.incoming(message.properties.headers, message)
}
