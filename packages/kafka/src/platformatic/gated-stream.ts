import { runInLane } from '@laneway/core'
import { messageLane } from '@laneway/messaging'
import type { Gate } from '../isolation/gate.js'
import { placeOf } from '../isolation/log-broker.js'
import type { MessageStream, StreamMessage } from './classes.js'

/** A stream that holds more messages stops fetching. */
const MOST_HELD = 1024

/**
 * Lets through only the messages that the gate gives to this consumer. One that waits for the ledger holds back those behind
 * it in its partition, for their order; other partitions go on.
 *
 * @param isHolder - whether the consumer still has the partition of a message. The client delivers what a fetch brings after
 * a rebalance has given the partition to another member; without a commit that one reads it, too
 */
export function gateStream(
  stream: MessageStream,
  gate: Gate,
  isHolder: (message: StreamMessage) => boolean = () => true,
): void {
  const { push } = stream
  const held = new Map<string, StreamMessage[]>()
  let count = 0

  function take(message: StreamMessage): boolean {
    if (!isHolder(message)) return true
    const place = placeOf(message.topic, message.partition)
    const before = held.get(place)
    if (before !== undefined) {
      before.push(message)
      return ++count < MOST_HELD
    }
    const { owner } = gate.decide(message, message.topic, Number(message.timestamp))
    if (owner === 'own') return push.call(stream, message)
    if (owner === 'skip') return count < MOST_HELD
    held.set(place, [message])
    count++
    // A gate that closes leaves the messages to the next consumer.
    release(place, held.get(place)!).catch(() => {})
    return count < MOST_HELD
  }

  async function release(place: string, messages: StreamMessage[]): Promise<void> {
    while (messages.length > 0) {
      const [message] = messages as [StreamMessage]
      const { owner } = await gate.settle(message, message.topic, Number(message.timestamp), async () => {})
      if (owner === 'own' && isHolder(message)) push.call(stream, message)
      messages.shift()
      count--
    }
    held.delete(place)
    // Nothing asks a stream to read on that was given nothing.
    if (!stream.destroyed) stream._read()
  }

  stream.push = message => (message === null ? push.call(stream, message) : take(message))
}

/** Runs listeners of `data` in the lane of their message, and all others in none. */
export function emitInLanes(stream: MessageStream, names: readonly string[]): void {
  const { emit } = stream
  stream.emit = (event, ...args) => {
    const lane = event === 'data' ? messageLane(args[0], names) : undefined
    return runInLane(lane, () => emit.call(stream, event, ...args))
  }
}
