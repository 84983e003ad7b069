import {
  type MessageDecision,
  type MessageLanes,
  removeHeader,
  warnOfCompetingLane,
  warnOfNoIsolation,
} from '@laneway/messaging/internal'
import type { RocketmqSettings } from './lane-rocketmq-options.js'
import { adoptMseProperty, MSE_PROPERTY } from './mse-property.js'
import type { RocketmqMessage } from './rocketmq.js'

const FIX = 'let only instances of base consume where the code of the consumer is not what you release'

/**
 * Decides the lane of a received message and reports it. Afterwards the message has under the header what was accepted,
 * whoever wrote it, and nothing that was refused.
 */
export function decide(message: RocketmqMessage, settings: RocketmqSettings): MessageDecision {
  const { lanes, warn, isolates } = settings
  const topic = String(message.topic)
  const decision = readLane(message, lanes)
  if (lanes.own !== undefined) warnOfCompetingLane('rocketmq', topic, lanes.own, warn, FIX)
  if (isolates?.(topic)) warnOfNoIsolation('rocketmq', topic, warn)
  lanes.report(topic, decision, lanes.outcomeOf(decision))
  return decision
}

/** As {@link decide}, without a report. */
export function readLane(message: RocketmqMessage, lanes: MessageLanes): MessageDecision {
  const { properties } = message
  const adopted = properties !== undefined && adoptMseProperty(properties, lanes.names)
  const decision = lanes.incoming(properties, message)
  if (decision.problem !== undefined || decision.stripped) removeHeader(properties, MSE_PROPERTY)
  else if (adopted && decision.lane === undefined) removeHeader(properties, lanes.names[0]!)
  return decision
}
