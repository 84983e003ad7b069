import { type LaneAmqpOptions, laneAmqp } from '@laneway/amqp'
import { giveTransportLanes } from './lane-transport.js'

/**
 * Gives lanes to a `ClientRMQ` or a `ServerRMQ` of `@nestjs/microservices`: messages carry the lane of the code that sends
 * them, handlers run in it, and what follows a reply runs in the lane of its request. Call it before the transport connects.
 *
 * What is given is changed and returned. A second call changes nothing.
 *
 * @example
 * app.connectMicroservice({ strategy: laneRmqTransport(new ServerRMQ({ urls, queue: 'orders' })) })
 * @throws LanewayError `LANEWAY_INVALID_OPTION`, `LANEWAY_INVALID_TAG`
 */
export function laneRmqTransport<T extends object>(transport: T, options: LaneAmqpOptions = {}): T {
  return giveTransportLanes('laneRmqTransport', transport, client => laneAmqp(client, options))
}
