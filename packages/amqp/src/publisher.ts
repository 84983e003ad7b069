import { bindLane, kLane, type Lane } from '@laneway/core'
import type { AmqpChannel, AmqpOptions } from './amqp.js'
import type { AmqpSettings } from './lane-amqp-options.js'

/** Options of a message whose lane was decided where the program published it. */
type DecidedOptions = AmqpOptions & { [kLane]?: Lane | null }

/**
 * Makes what a channel publishes carry the lane of the code that publishes. A buffer between that code and the channel,
 * as amqp-connection-manager has one, keeps the decision with the message.
 */
export function tagPublisher(channel: AmqpChannel & { addSetup?: unknown }, { lanes }: AmqpSettings): void {
  const { publish, sendToQueue } = channel
  const buffers = channel.addSetup !== undefined
  const tagged = (destination: string, options: DecidedOptions | undefined): DecidedOptions | undefined => {
    if (options?.[kLane] !== undefined) return options
    const before = options?.headers
    const headers = lanes.tagged(destination, before)
    if (!buffers && headers === before) return options
    return { ...options, ...(headers !== undefined && { headers }), ...(buffers && { [kLane]: null }) }
  }
  Object.assign(channel, {
    publish(exchange: string, routingKey: string, content: Buffer, options?: DecidedOptions, done?: unknown) {
      const sent = tagged(exchange === '' ? routingKey : exchange, options)
      return publish.call(channel, exchange, routingKey, content, sent, ...bound(done))
    },
  })
  // A channel of amqplib sends to a queue by way of `publish`.
  if (!buffers) return
  Object.assign(channel, {
    sendToQueue(queue: string, content: Buffer, options?: DecidedOptions, done?: unknown) {
      return sendToQueue.call(channel, queue, content, tagged(queue, options), ...bound(done))
    },
  })
}

/** A confirmation arrives in the context of the connection. */
function bound(done: unknown): unknown[] {
  if (done === undefined) return []
  return [typeof done === 'function' ? bindLane(done as () => unknown) : done]
}
