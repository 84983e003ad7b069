import { runInLane } from '@laneway/core'
import { messageLane } from '@laneway/messaging'
import type { Gate } from '../isolation/gate.js'
import { placeOf } from '../isolation/log-broker.js'
import type { MessageStream, StreamMessage } from './classes.js'
import type { Holding, Membership } from './membership.js'
import { delivers } from './tickets.js'

/** A stream that holds more messages stops fetching. */
const MOST_HELD = 1024

interface Held {
  readonly message: StreamMessage
  readonly holding: Holding | undefined
}

/**
 * Lets through only the messages that the gate gives to this consumer. One that waits for the ledger holds back those behind
 * it in its partition, for their order; other partitions go on.
 *
 * @param membership - of a consumer that reads from committed offsets and whose program commits what it has handled
 */
export function gateStream(stream: MessageStream, gate: Gate, membership?: Membership): void {
  const { push } = stream
  const held = new Map<string, Held[]>()
  let count = 0

  function give(message: StreamMessage, holding: Holding | undefined): boolean {
    if (holding !== undefined) membership!.admit(message, holding)
    return push.call(stream, message)
  }

  function take(message: StreamMessage): boolean {
    const place = placeOf(message.topic, message.partition)
    const holding = membership?.holdingOf(message, place)
    if (membership !== undefined && holding === undefined) return true
    const before = held.get(place)
    if (before !== undefined) {
      before.push({ message, holding })
      return ++count < MOST_HELD
    }
    const { owner } = gate.decide(message, message.topic, Number(message.timestamp))
    if (owner === 'own') return give(message, holding)
    if (owner === 'skip') return count < MOST_HELD
    held.set(place, [{ message, holding }])
    count++
    // A gate that closes leaves the messages to the next consumer.
    release(place, held.get(place)!).catch(() => {})
    return count < MOST_HELD
  }

  async function release(place: string, waiting: Held[]): Promise<void> {
    while (waiting.length > 0) {
      const [{ message, holding }] = waiting as [Held]
      const isGood = () => holding === undefined || membership!.isGood(message, holding)
      if (isGood()) {
        const { owner } = await gate.settle(message, message.topic, Number(message.timestamp), async () => {})
        if (owner === 'own' && isGood()) give(message, holding)
      }
      waiting.shift()
      count--
    }
    held.delete(place)
    // Nothing asks a stream to read on that was given nothing.
    if (!stream.destroyed) stream._read()
  }

  stream.push = message => (message === null ? push.call(stream, message) : take(message))
}

/** Runs listeners of `data` in the lane of their message, and all others in none. Drops what may not be delivered any more. */
export function emitInLanes(stream: MessageStream, names: readonly string[]): void {
  const { emit, read } = stream
  stream.read = size => {
    for (;;) {
      const message = read.call(stream, size)
      if (message === null || delivers(message)) return message
    }
  }
  stream.emit = (event, ...args) => {
    if (event !== 'data') return runInLane(undefined, () => emit.call(stream, event, ...args))
    const [message] = args as [StreamMessage]
    return delivers(message) && runInLane(messageLane(message, names), () => emit.call(stream, event, ...args))
  }
}
