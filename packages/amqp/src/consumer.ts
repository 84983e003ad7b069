import { runInLane } from '@laneway/core'
import { warnOfCompetingLane } from '@laneway/messaging/internal'
import type { AmqpChannel, AmqpMessage, OnMessage } from './amqp.js'
import { decide } from './decide.js'
import { assertIsolatable, consumeIsolated, isOfOneConsumer } from './isolation/consume-isolated.js'
import { type AmqpSettings, type ConsumeSettings, resolveConsumeOptions } from './lane-amqp-options.js'

/** Set on a handler that runs in the lane of its message already. */
const kInLane = Symbol.for('laneway.amqp.handler')

/** Makes each message that a channel consumes run in its lane, and isolates the consumers that ask for it. */
export function tagConsumer(channel: AmqpChannel, settings: AmqpSettings): void {
  const { consume } = channel
  Object.assign(channel, {
    consume(queue: string, onMessage: OnMessage, options?: Record<string, unknown>, done?: unknown) {
      const rest = done === undefined ? [] : [done]
      if (typeof onMessage !== 'function') return consume.call(channel, queue, onMessage, options, ...rest)
      const wanted = wantedOf(channel, queue, options, settings)
      if (wanted.isolate) return consumeIsolated(channel, consume, queue, onMessage, wanted, settings)
      if (!isOfOneConsumer(queue)) warnOfCompetingLane('amqp', queue, settings.lanes.own, settings.warn)
      return consume.call(channel, queue, inLaneOfMessage(queue, onMessage, settings), wanted.rest, ...rest)
    },
  })
}

/** A consumer that a preload isolates, and that cannot be, goes on without: its program did not ask for it. */
function wantedOf(
  channel: AmqpChannel,
  queue: string,
  options: Record<string, unknown> | undefined,
  { isolates, warn }: AmqpSettings,
): ConsumeSettings {
  if (isolates?.(queue) === true && options?.['lanes'] === undefined) {
    try {
      assertIsolatable(channel, queue)
      return resolveConsumeOptions({ ...options, lanes: 'isolate' })
    } catch (error) {
      warn(`amqp: "${queue}" is not isolated, its messages only carry their lanes: ${(error as Error).message}`)
    }
  }
  return resolveConsumeOptions(options)
}

function inLaneOfMessage(queue: string, onMessage: OnMessage, { lanes }: AmqpSettings): OnMessage {
  if (kInLane in onMessage) return onMessage
  const handler = (message: AmqpMessage | null) => {
    // The broker has cancelled the consumer.
    if (message === null) return runInLane(undefined, onMessage, message)
    const decision = decide(message, lanes)
    lanes.report(queue, decision, lanes.outcomeOf(decision))
    return runInLane(decision.lane, onMessage, message)
  }
  return Object.assign(handler, { [kInLane]: true })
}
