import { LanewayError, runInLane } from '@laneway/core'
import { isDisabled } from '@laneway/core/internal'
import { warnOfCompetingLane } from '@laneway/messaging/internal'
import { type AmqpSettings, type LaneAmqpOptions, PARTS, resolveAmqpOptions } from './lane-amqp-options.js'

type Callable = (this: any, ...args: any[]) => any

/** On the envelope of a message whose lane is decided: a publisher sends by way of a channel, which has lanes as well. */
const kDecided = Symbol('laneway.decided')

/** What a message of rabbitmq-client is addressed by: a routing key, or an envelope. */
type Envelope =
  | string
  | {
      readonly exchange?: string
      readonly routingKey?: string
      readonly headers?: Record<string, unknown>
      readonly [kDecided]?: true
    }

/** Registered: two copies of this package may meet one connection. */
const kLanes = Symbol.for('laneway.amqp.rabbitmq-client')

/**
 * Gives lanes to a connection of rabbitmq-client. What its publishers, RPC clients and channels send carries the lane of
 * the code that sends; each message of its consumers is handled in its lane, none included. Without isolation.
 *
 * The connection itself is changed and returned. A second call changes nothing.
 *
 * @throws LanewayError `LANEWAY_INVALID_OPTION`, `LANEWAY_INVALID_TAG`
 */
export function laneRabbit<C extends object>(connection: C, options: LaneAmqpOptions = {}): C {
  if (!isDisabled(PARTS)) giveRabbitLanes(connection, resolveAmqpOptions(options))
  return connection
}

/** Whether a connection has lanes already. */
export const hasRabbitLanes = (connection: object): boolean => kLanes in connection

/** What {@link laneRabbit} does, once the options are read. */
export function giveRabbitLanes(connection: object, settings: AmqpSettings): void {
  if (kLanes in connection) return
  const { createPublisher, createRPCClient, createConsumer, acquire } = connection as Record<string, Callable>
  Object.assign(connection, {
    [kLanes]: true,
    createPublisher: (...args: unknown[]) => tagSends(createPublisher!.apply(connection, args), 'send', settings),
    createRPCClient: (...args: unknown[]) => tagSends(createRPCClient!.apply(connection, args), 'send', settings),
    acquire: async (...args: unknown[]) => tagSends(await acquire!.apply(connection, args), 'basicPublish', settings),
    createConsumer(props: { queue?: string; lanes?: unknown }, handler: Callable) {
      if (props?.lanes !== undefined) {
        throw new LanewayError(
          'LANEWAY_INVALID_OPTION',
          'laneRabbit: a consumer of rabbitmq-client cannot be isolated; leave lanes out, or consume with amqplib',
        )
      }
      const queue = String(props?.queue ?? '')
      warnOfCompetingLane('amqp', queue, settings.lanes.own, settings.warn)
      return runInLane(undefined, () =>
        createConsumer!.call(connection, props, inLaneOfMessage(queue, handler, settings)),
      )
    },
  })
}

function tagSends<T extends object>(sender: T, method: string, { lanes }: AmqpSettings): T {
  const send = (sender as Record<string, Callable>)[method]!
  return Object.assign(sender, {
    [method](envelope: Envelope, ...rest: unknown[]) {
      const whole = typeof envelope === 'string' ? { routingKey: envelope } : (envelope ?? {})
      if (whole[kDecided]) return send.call(sender, envelope, ...rest)
      const { exchange, routingKey, headers } = whole
      const tagged = lanes.tagged(String(exchange || routingKey || ''), headers)
      if (tagged === headers && method === 'basicPublish') return send.call(sender, envelope, ...rest)
      return send.call(sender, { ...whole, ...(tagged && { headers: tagged }), [kDecided]: true }, ...rest)
    },
  })
}

function inLaneOfMessage(queue: string, handler: Callable, { lanes }: AmqpSettings): Callable {
  return (message: { headers?: Record<string, unknown> }, ...rest: unknown[]) => {
    const decision = lanes.incoming(message.headers, message)
    lanes.report(queue, decision, lanes.outcomeOf(decision))
    return runInLane(decision.lane, handler, message, ...rest)
  }
}
