import { type Lane, runInLane } from '@laneway/core'
import { isLeftAlone, mseList } from '@laneway/core/internal'
import { removeHeader } from '@laneway/messaging/internal'
import { decide } from './decide.js'
import type { RocketmqSettings } from './lane-rocketmq-options.js'
import { adoptMseProperty, MSE_PROPERTY } from './mse-property.js'
import type { Methods, RocketmqMessage } from './rocketmq.js'

/** Makes what a producer sends carry the lane of the code that sends it, and its checker run in that of the message. */
export function tagProducer(producer: Methods, settings: RocketmqSettings): void {
  const { lanes } = settings
  const { send, onRecoverOrphanedTransactionCommand: recover } = producer
  const tagged = (message: RocketmqMessage): RocketmqMessage => {
    const before = message?.properties
    if (isLeftAlone() || (before !== undefined && !(before instanceof Map))) return message
    const properties = new Map(before)
    adoptMseProperty(properties, lanes.names)
    const lane = lanes.outgoing(String(message?.topic), properties)
    if (lane === undefined && !lanes.names.some(name => properties.has(name))) return message
    return { ...message, properties: withLane(properties, lanes.names, lane) }
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

function withLane(
  properties: Map<string, string>,
  names: readonly string[],
  lane: Lane | undefined,
): Map<string, string> {
  for (const name of [...names, MSE_PROPERTY]) removeHeader(properties, name)
  if (lane === undefined) return properties
  for (const name of names) properties.set(name, lane.header)
  return properties.set(MSE_PROPERTY, mseList(lane))
}
