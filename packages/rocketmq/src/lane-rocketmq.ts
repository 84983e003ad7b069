import { LanewayError, runInLane } from '@laneway/core'
import { describe, isDisabled } from '@laneway/core/internal'
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
 * Under `LANEWAY_DISABLE` with `all` or `rocketmq` nothing is changed.
 *
 * @throws LanewayError `LANEWAY_INVALID_OPTION`, `LANEWAY_INVALID_TAG`
 */
export function laneRocketmq<T extends object>(target: T, options: LaneRocketmqOptions = {}): T {
  if (isDisabled(['rocketmq'])) return target
  const settings = resolveRocketmqOptions(options)
  const client = target as Methods
  if (!giveLanes(client, settings)) return target
  const { startup } = client
  // Its timers and streams belong to no request.
  if (typeof startup === 'function') {
    Object.assign(client, { startup: () => runInLane(undefined, () => startup.call(client)) })
  }
  return target
}

/** Whether lanes have been given. */
export const hasLanes = (target: object): boolean => kLanes in target

/** What {@link laneRocketmq} does but for the start. @returns `false` when lanes had been given before */
export function giveLanes(client: Methods, settings: RocketmqSettings): boolean {
  const give = wayFor(client)
  if (hasLanes(client)) return false
  Object.defineProperty(client, kLanes, { value: true })
  give(client, settings)
  return true
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
