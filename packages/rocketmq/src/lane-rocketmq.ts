import { LanewayError, runInLane } from '@laneway/core'
import { describe } from '@laneway/core/internal'
import { tagPushConsumer, tagSimpleConsumer } from './consumer.js'
import { type LaneRocketmqOptions, type RocketmqSettings, resolveRocketmqOptions } from './lane-rocketmq-options.js'
import { tagProducer } from './producer.js'
import type { Methods } from './rocketmq.js'

/** Registered: two copies of this package may meet one client. */
const kLanes = Symbol.for('laneway.rocketmq.lanes')

/**
 * Gives lanes to a `Producer`, a `PushConsumer` or a `SimpleConsumer` of rocketmq-client-nodejs; call it before
 * `startup()`. What is sent carries the lane of the code that sends it. The listener of a push consumer handles each
 * message in its lane, none included; what a simple consumer receives is for `eachInLane`.
 *
 * What is given is changed and returned, so it stays what it is to everybody else. A second call changes nothing.
 *
 * @throws LanewayError `LANEWAY_INVALID_OPTION`, `LANEWAY_INVALID_TAG`
 */
export function laneRocketmq<T extends object>(target: T, options: LaneRocketmqOptions = {}): T {
  const settings = resolveRocketmqOptions(options)
  const client = target as Methods
  const give = wayFor(client)
  if (kLanes in target) return target
  Object.defineProperty(target, kLanes, { value: true })
  give(client, settings)
  const { startup } = client
  // Its timers and streams belong to no request.
  if (typeof startup === 'function') {
    Object.assign(client, { startup: () => runInLane(undefined, () => startup.call(client)) })
  }
  return target
}

function wayFor(target: Methods): (target: Methods, settings: RocketmqSettings) => void {
  const can = (name: string) => typeof target?.[name] === 'function'
  if (can('createConsumeService')) return tagPushConsumer
  if (can('receive')) return tagSimpleConsumer
  if (can('send')) return tagProducer
  throw new LanewayError(
    'LANEWAY_INVALID_OPTION',
    `laneRocketmq takes a Producer, a PushConsumer or a SimpleConsumer, received ${describe(target)}`,
  )
}
