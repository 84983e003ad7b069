import { type LaneKafkaOptions, laneKafka } from '@laneway/kafka'
import { giveTransportLanes } from './lane-transport.js'

/**
 * Gives lanes to a `ClientKafka` or a `ServerKafka` of `@nestjs/microservices`: messages carry the lane of the code that sends
 * them, handlers run in it, and what follows a reply runs in the lane of its request. Call it before the transport connects.
 *
 * What is given is changed and returned. A second call changes nothing.
 *
 * @example
 * app.connectMicroservice({ strategy: laneKafkaTransport(new ServerKafka({ client: { brokers } })) })
 * @throws LanewayError `LANEWAY_INVALID_OPTION`, `LANEWAY_INVALID_TAG`
 */
export function laneKafkaTransport<T extends object>(transport: T, options: LaneKafkaOptions = {}): T {
  return giveTransportLanes('laneKafkaTransport', transport, client => laneKafka(client, options))
}
