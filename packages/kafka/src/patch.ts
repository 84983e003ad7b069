import { giveAtFirstCall, type MessagePatch, type MessagePatchOptions } from '@laneway/messaging/internal'
import { isClaimed } from './claim.js'
import type { Methods } from './kafka.js'
import { giveLanes } from './lane-kafka.js'
import { resolveKafkaOptions } from './lane-kafka-options.js'

/**
 * For a preload: gives lanes to the clients of kafkajs, whose class it is given, and to producers and consumers of
 * `@platformatic/kafka`, whose prototypes it is given. Loads none of them.
 *
 * @throws LanewayError `LANEWAY_INVALID_OPTION`, `LANEWAY_INVALID_TAG`
 */
export function createMessagePatch({ isolates, fault, ...options }: MessagePatchOptions): MessagePatch {
  const settings = { ...resolveKafkaOptions(options), isolates }
  return found => {
    const prototype = typeof found === 'function' ? (found as { prototype: object }).prototype : found
    const methods = ['producer', 'consumer', 'send', 'initIdempotentProducer', 'consume']
    giveAtFirstCall(prototype, methods, isClaimed, one => giveLanes(one as Methods, settings), fault)
  }
}
