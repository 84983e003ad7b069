import { runInLane } from '@laneway/core'
import { decide } from './decide.js'
import type { RocketmqSettings } from './lane-rocketmq-options.js'
import type { Methods, RocketmqMessage } from './rocketmq.js'

/** Makes a push consumer handle each message in its lane. The client makes what calls the listener when it starts. */
export function tagPushConsumer(consumer: Methods, settings: RocketmqSettings): void {
  const { createConsumeService } = consumer
  Object.assign(consumer, {
    createConsumeService(...args: unknown[]) {
      const service = createConsumeService!.apply(consumer, args) as Methods
      const { consumeMessage } = service
      if (typeof consumeMessage !== 'function') {
        const error = new Error(
          'laneRocketmq does not know this version of rocketmq-client-nodejs: lanes of messages would be lost',
        )
        if (settings.unknown === undefined) throw error
        settings.unknown(error)
        return service
      }
      return Object.assign(service, {
        consumeMessage: (message: RocketmqMessage, ...rest: unknown[]) =>
          runInLane(decide(message, settings).lane, () => consumeMessage.call(service, message, ...rest)),
      })
    },
  })
}

/** Removes refused lanes from what a simple consumer receives, for `eachInLane`. */
export function tagSimpleConsumer(consumer: Methods, settings: RocketmqSettings): void {
  const { receive } = consumer
  Object.assign(consumer, {
    async receive(...args: unknown[]) {
      const received: RocketmqMessage[] = await receive!.apply(consumer, args)
      for (const message of received) decide(message, settings)
      return received
    },
  })
}
