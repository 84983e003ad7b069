import { LanewayError } from '@laneway/core'
import type { HelperChannel } from '../amqp.js'
import type { ConsumeSettings } from '../lane-amqp-options.js'

/** The queue of a lane, as MSE names it. */
export const laneQueue = (queue: string, tag: string): string => `${queue}_${tag}`
/** In the place of a tag: names the queue where messages of lanes without consumers wait. No tag begins like this. */
export const WAITING = '.waiting'
/** Consumed by every consumer of the lane, so that its count of consumers says who lives. Nobody publishes to it. */
const beaconQueue = (queue: string, tag: string): string => `${queue}_${tag}.live`
/** Leads to the lane's queue, whatever the routing key. */
export const laneExchange = (queue: string, tag: string): string => `laneway.${queue}_${tag}`
/** Leads back to the queue, whatever the routing key. */
const returnExchange = (queue: string): string => `laneway.${queue}`

/** A beacon that nobody consumes or asks for goes away, so lanes that senders invent leave nothing. */
const BEACON = { durable: true, maxLength: 1, expires: 60_000 }

/** Declares the beacon of a lane. @returns its name, and how many consumers of the lane live */
export async function assertBeacon(
  channel: HelperChannel,
  queue: string,
  tag: string,
): Promise<{ name: string; consumers: number }> {
  const name = beaconQueue(queue, tag)
  return { name, consumers: (await channel.assertQueue(name, BEACON)).consumerCount }
}

/** Declares the way back. The routing key of a message survives it, so the dead letters of the queue keep theirs. */
export async function assertReturn(channel: HelperChannel, queue: string): Promise<void> {
  await channel.assertExchange(returnExchange(queue), 'fanout', { durable: true })
  await channel.bindQueue(queue, returnExchange(queue), '')
}

/**
 * Declares the queue of a lane: what is left in it, or rejected, returns to base.
 *
 * @throws LanewayError `LANEWAY_INVALID_OPTION` when the broker has it with other arguments
 */
export async function assertLane(
  channel: HelperChannel,
  queue: string,
  tag: string,
  { laneTtlMs, laneArguments }: ConsumeSettings,
): Promise<void> {
  const name = laneQueue(queue, tag)
  await assertReturn(channel, queue)
  try {
    await channel.assertQueue(name, {
      durable: true,
      messageTtl: laneTtlMs,
      deadLetterExchange: returnExchange(queue),
      arguments: laneArguments,
    })
  } catch (error) {
    throw new LanewayError(
      'LANEWAY_INVALID_OPTION',
      `consume: the queue "${name}" of the lane cannot be declared (${(error as Error).message}); give the same laneTtlMs ` +
        'and laneArguments as before, or delete the queue once it is empty',
      { cause: error },
    )
  }
  await channel.assertExchange(laneExchange(queue, tag), 'fanout', { durable: true })
  await channel.bindQueue(name, laneExchange(queue, tag), '')
}
