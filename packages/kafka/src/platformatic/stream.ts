import { runInLane } from '@laneway/core'
import { messageLane } from '@laneway/messaging'
import { decide } from '../decide.js'
import type { KafkaMessage, Methods } from '../kafka.js'
import type { KafkaSettings } from '../lane-kafka-options.js'

/**
 * Makes the listeners of `data` run in the lane of their message, and all others in none. However a program reads the
 * stream, what was refused is gone from its messages.
 */
export function tagStream(stream: Methods, settings: KafkaSettings): void {
  const { push, emit } = stream
  const { names } = settings.lanes
  Object.assign(stream, {
    push(message: KafkaMessage | null, ...rest: unknown[]) {
      if (message !== null) decide(message, String(message.topic), settings)
      return push!.call(stream, message, ...rest)
    },
    emit(event: unknown, ...args: unknown[]) {
      const lane = event === 'data' ? messageLane(args[0], names) : undefined
      return runInLane(lane, () => emit!.call(stream, event, ...args))
    },
  })
}
