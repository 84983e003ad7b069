import { bindLane, kLane, type Lane } from '@laneway/core'
import { isLeftAlone } from '@laneway/core/internal'
import type { KafkaMessage, Method, Methods } from '../kafka.js'
import type { KafkaSettings } from '../lane-kafka-options.js'
import { headerWriter } from './header-writer.js'

/** A message whose lane was decided where the program wrote it to a stream. */
type DecidedMessage = KafkaMessage & { readonly [kLane]?: Lane | null }

/** Makes what a producer of `@platformatic/kafka` sends carry the lane of the code that sends it. */
export function tagProducer(producer: Methods, { lanes }: KafkaSettings): void {
  const { send, asStream } = producer
  const writers = lanes.names.map(name => headerWriter(producer, name))
  const tagged = (message: DecidedMessage, buffers: boolean): DecidedMessage => {
    if (typeof message !== 'object' || message === null || message[kLane] !== undefined) return message
    const before = message.headers
    let headers: unknown = before
    if (!isLeftAlone()) {
      const lane = lanes.outgoing(String(message.topic), before)
      for (const write of writers) headers = write(headers, lane)
    }
    if (!buffers && headers === before) return message
    return { ...message, ...(headers !== undefined && { headers }), ...(buffers && { [kLane]: null }) }
  }
  Object.assign(producer, {
    // A transaction sends by this, too.
    send(options: { readonly messages?: readonly KafkaMessage[] }, ...done: unknown[]) {
      const { messages } = options ?? {}
      if (!Array.isArray(messages)) return send!.call(producer, options, ...done.map(bound))
      const sent = { ...options, messages: messages.map(message => tagged(message, false)) }
      return send!.call(producer, sent, ...done.map(bound))
    },
  })
  if (asStream === undefined) return
  Object.assign(producer, {
    asStream(...args: unknown[]) {
      const stream = asStream.apply(producer, args) as Methods
      const writing =
        (method: Method): Method =>
        (message, ...rest) =>
          method.call(stream, tagged(bound(message) as DecidedMessage, true), ...rest.map(bound))
      // The stream collects messages of several lanes, and sends them in the context of a timer.
      return Object.assign(stream, { write: writing(stream['write']!), end: writing(stream['end']!) })
    },
  })
}

/** A callback runs in the context of the connection. */
function bound(argument: unknown): unknown {
  return typeof argument === 'function' ? bindLane(argument as Method) : argument
}
