import { LanewayError } from '@laneway/core'
import type { AmqpChannel, Consume, HelperChannel, OnMessage } from '../amqp.js'
import type { AmqpSettings, ConsumeSettings } from '../lane-amqp-options.js'
import { BaseConsumer } from './base-consumer.js'
import { HelperChannels } from './helper-channels.js'
import { consumeLane } from './lane-consumer.js'

/** Replies go to queues that the broker names, one for each consumer. */
export const isOfOneConsumer = (queue: string): boolean => queue === '' || queue.startsWith('amq.')

/**
 * @throws LanewayError `LANEWAY_INVALID_OPTION` for a queue of one consumer, and for a channel that is not amqplib's with
 * promises
 */
export function assertIsolatable(channel: AmqpChannel, queue: string): void {
  if (isOfOneConsumer(queue)) {
    throw new LanewayError(
      'LANEWAY_INVALID_OPTION',
      `consume: lanes is 'isolate' for "${queue}", a queue of one consumer; replies reach who asked whatever its lane: use 'propagate'`,
    )
  }
  const { open, rpc } = channel as Partial<HelperChannel>
  // With callbacks, `open` takes one.
  if (channel.connection !== undefined && typeof rpc === 'function' && open?.length === 0) return
  throw new LanewayError(
    'LANEWAY_INVALID_OPTION',
    "consume: lanes is 'isolate', which needs a channel of amqplib with promises; with amqp-connection-manager consume " +
      'in a set-up function: addSetup(channel => channel.consume(…))',
  )
}

/**
 * Consumes a queue with lanes kept apart: as base, or as the lane of this instance.
 *
 * @throws LanewayError `LANEWAY_INVALID_OPTION`
 */
export async function consumeIsolated(
  channel: AmqpChannel,
  consume: Consume,
  queue: string,
  onMessage: OnMessage,
  wanted: ConsumeSettings,
  settings: AmqpSettings,
): Promise<unknown> {
  assertIsolatable(channel, queue)
  const channels = new HelperChannels(channel)
  channel.on('close', () => void channels.close())
  const own = settings.lanes.own?.tags[0]
  if (own !== undefined) return consumeLane(channel, consume, channels, { queue, own, onMessage, wanted, settings })
  const base = new BaseConsumer(channel, channels, { queue, onMessage, wanted, settings })
  return consume.call(channel, queue, message => base.handle(message), wanted.rest)
}
