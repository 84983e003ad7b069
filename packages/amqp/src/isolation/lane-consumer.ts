import { setTimeout as sleep } from 'node:timers/promises'
import { runInLane } from '@laneway/core'
import type { AmqpChannel, AmqpMessage, Consume } from '../amqp.js'
import { decide } from '../decide.js'
import type { IsolatedConsumer } from './base-consumer.js'
import { restore } from './forwarded-message.js'
import type { HelperChannels } from './helper-channels.js'
import { assertBeacon, assertLane, laneQueue } from './topology.js'

/** Consumers of lanes on a channel, by their tag. */
const kEnds = Symbol('laneway.amqp.ends')

type LaneChannel = AmqpChannel & { [kEnds]?: Map<string, () => Promise<void>> }

/** Consumes the queue of the lane, and says on the same channel that it does: both end together, however they end. */
export async function consumeLane(
  channel: LaneChannel,
  consume: Consume,
  channels: HelperChannels,
  { queue, own, onMessage, wanted, settings }: IsolatedConsumer & { readonly own: string },
): Promise<unknown> {
  const { lanes } = settings
  const declaring = await channels.declaring()
  await assertLane(declaring, queue, own, wanted)
  const { name: beacon } = await assertBeacon(declaring, queue, own)
  const { cancel } = channel
  let beaconTag: string | undefined
  const endBeacon = async (): Promise<void> => {
    const tag = beaconTag
    beaconTag = undefined
    if (tag !== undefined) await cancel.call(channel, tag)
  }
  const handler = (message: AmqpMessage | null): unknown => {
    if (message === null) {
      endBeacon().catch(() => {})
      return runInLane(undefined, onMessage, message)
    }
    const decision = decide(message, lanes)
    restore(message, queue, [...(decision.lane?.tags ?? []), own])
    lanes.report(queue, decision, 'own')
    return runInLane(decision.lane, onMessage, message)
  }
  const consumer = await consume.call(channel, laneQueue(queue, own), handler, wanted.rest)
  beaconTag = (await consume.call(channel, beacon, () => {}, { noAck: true })).consumerTag
  endsOf(channel).set(consumer.consumerTag, async () => {
    await endBeacon()
    // Base knows within a look; what it has moved until then is handled here, but for what the lane's time to live returns.
    await sleep(2 * wanted.lookMs)
    const until = performance.now() + wanted.laneTtlMs
    while (performance.now() < until) {
      const { messageCount } = await (await channels.declaring()).checkQueue(laneQueue(queue, own))
      if (messageCount === 0) break
      await sleep(50)
    }
  })
  return consumer
}

/** `cancel` of the channel first leaves the lane to others. */
function endsOf(channel: LaneChannel): Map<string, () => Promise<void>> {
  const known = channel[kEnds]
  if (known !== undefined) return known
  const ends = new Map<string, () => Promise<void>>()
  const { cancel } = channel
  Object.assign(channel, {
    [kEnds]: ends,
    async cancel(consumerTag: string, ...rest: []) {
      const end = ends.get(consumerTag)
      ends.delete(consumerTag)
      // Where the broker does not answer, the lane ends with the channel.
      await end?.().catch(() => {})
      return cancel.call(channel, consumerTag, ...rest)
    },
  })
  return ends
}
