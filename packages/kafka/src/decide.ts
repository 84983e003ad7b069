import { type MessageDecision, warnOfCompetingLane } from '@laneway/messaging/internal'
import type { KafkaMessage } from './kafka.js'
import type { KafkaSettings } from './lane-kafka-options.js'

const FIX = 'let only instances of base consume where the code of the consumer is not what you release'

/** Decides the lane of a received message, reports it, and removes from the message what was refused. */
export function decide(message: KafkaMessage, topic: string, { lanes, warn }: KafkaSettings): MessageDecision {
  const decision = lanes.incoming(message.headers, message)
  if (lanes.own !== undefined) warnOfCompetingLane('kafka', topic, lanes.own, warn, FIX)
  lanes.report(topic, decision, lanes.outcomeOf(decision))
  return decision
}
