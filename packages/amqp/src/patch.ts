import { giveAtFirstCall, type MessagePatch, type MessagePatchOptions } from '@laneway/messaging/internal'
import { giveLanes, hasLanes } from './lane-amqp.js'
import { resolveAmqpOptions } from './lane-amqp-options.js'
import { giveRabbitLanes, hasRabbitLanes } from './lane-rabbit.js'

/**
 * For a preload: gives lanes to the connections of amqplib, amqp-connection-manager and rabbitmq-client, whose prototypes it
 * is given. Loads none of them.
 *
 * @throws LanewayError `LANEWAY_INVALID_OPTION`, `LANEWAY_INVALID_TAG`
 */
export function createMessagePatch({ isolates, fault, ...options }: MessagePatchOptions): MessagePatch {
  const settings = { ...resolveAmqpOptions(options), isolates }
  return prototype => {
    if ('createRPCClient' in prototype) {
      const methods = ['createPublisher', 'createRPCClient', 'createConsumer', 'acquire']
      giveAtFirstCall(prototype, methods, hasRabbitLanes, one => giveRabbitLanes(one, settings), fault)
      return
    }
    const methods = ['createChannel', 'createConfirmChannel']
    giveAtFirstCall(prototype, methods, hasLanes, one => giveLanes(one, settings), fault)
  }
}
