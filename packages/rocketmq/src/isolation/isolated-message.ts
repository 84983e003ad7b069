import { BASE_TAG, runInLane } from '@laneway/core'
import type { MessageOutcome } from '@laneway/messaging'
import type { MessageDecision } from '@laneway/messaging/internal'
import { readLane } from '../decide.js'
import type { LaneConsumerSettings } from '../lane-consumer-options.js'
import { MSE_PROPERTY } from '../mse-property.js'
import type { ReceivedMessage } from '../rocketmq.js'
import type { Judged } from './group-view.js'

/** A received message with its lane. */
export interface IsolatedMessage extends Judged {
  readonly message: ReceivedMessage
  readonly decision: MessageDecision
}

/**
 * Reads a message. Only the tags that MSE's property names count for who handles it, because a broker that filters for
 * the group of a lane sees nothing else. `base` ends a list.
 */
export function isolatedMessage(message: ReceivedMessage, { lanes }: LaneConsumerSettings): IsolatedMessage {
  const property = message.properties.get(MSE_PROPERTY)
  const decision = readLane(message, lanes)
  const all = decision.lane?.tags ?? []
  const end = all.indexOf(BASE_TAG)
  const tags = (end === -1 ? all : all.slice(0, end)).filter(tag => property?.includes(inProperty(tag)))
  return { message, decision, topic: message.topic, tags, bornMs: message.bornTimestamp?.getTime() ?? 0 }
}

/** What the filter of a lane's group finds in MSE's property. */
export const laneFilter = (lane: string): string => `${MSE_PROPERTY} CONTAINS '${inProperty(lane)}'`

const inProperty = (tag: string): string => `"${tag}"`

/** Runs the handler in the lane of the message. @throws what the handler throws */
export async function handleInLane(
  { message, decision }: Pick<IsolatedMessage, 'message' | 'decision'>,
  { lanes, handler }: LaneConsumerSettings,
  outcome: MessageOutcome,
): Promise<'done'> {
  lanes.report(message.topic, decision, outcome)
  await runInLane(decision.lane, handler, message)
  return 'done'
}

/** Leaves a message to the other side. */
export function skip({ message, decision }: IsolatedMessage, { lanes }: LaneConsumerSettings): 'done' {
  lanes.report(message.topic, decision, 'skipped')
  return 'done'
}
