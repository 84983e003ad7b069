import { type Lane, runInLane } from '@laneway/core'
import { removeHeader } from '@laneway/messaging/internal'
import { decide } from './decide.js'
import type { RocketmqSettings } from './lane-rocketmq-options.js'
import { MSE_PROPERTY, mseValue, textOfMseValue } from './mse-property.js'
import type { Methods, RocketmqMessage } from './rocketmq.js'

/** Makes what a producer sends carry the lane of the code that sends it, and its checker run in that of the message. */
export function tagProducer(producer: Methods, settings: RocketmqSettings): void {
  const { lanes } = settings
  const { send, onRecoverOrphanedTransactionCommand: recover } = producer
  const tagged = (message: RocketmqMessage): RocketmqMessage => {
    const before = message?.properties
    if (before !== undefined && !(before instanceof Map)) return message
    const ofMse = before?.get(MSE_PROPERTY)
    const handSet = before?.get(lanes.header) ?? (ofMse === undefined ? undefined : textOfMseValue(ofMse))
    const lane = lanes.outgoing(String(message?.topic), handSet)
    if (lane === undefined && handSet === undefined) return message
    return { ...message, properties: withLane(new Map(before), lanes.header, lane) }
  }
  Object.assign(producer, {
    send: (message: RocketmqMessage, ...rest: unknown[]) => send!.call(producer, tagged(message), ...rest),
  })
  if (typeof recover !== 'function') return
  Object.assign(producer, {
    // The broker asks what became of a transaction: this calls the checker of the program.
    onRecoverOrphanedTransactionCommand(endpoints: unknown, command: any) {
      const message = command?.getMessage?.()
      const properties = new Map<string, string>(message?.getUserPropertiesMap?.().entries())
      const { lane } = decide({ topic: message?.getTopic?.()?.getName?.(), properties }, settings)
      return runInLane(lane, () => recover.call(producer, endpoints, command))
    },
  })
}

function withLane(properties: Map<string, string>, header: string, lane: Lane | undefined): Map<string, string> {
  removeHeader(properties, header)
  removeHeader(properties, MSE_PROPERTY)
  return lane === undefined ? properties : properties.set(header, lane.header).set(MSE_PROPERTY, mseValue(lane))
}
