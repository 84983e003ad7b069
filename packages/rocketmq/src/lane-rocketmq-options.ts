import type { Warn } from '@laneway/core'
import { emitLanewayWarning } from '@laneway/core/internal'
import type { MessageOptions } from '@laneway/messaging'
import { createMessageLanes, type MessageLanes } from '@laneway/messaging/internal'

/** Options of {@link laneRocketmq}. */
export interface LaneRocketmqOptions extends MessageOptions {
  /** Told once when an instance of a lane consumes, because it also takes messages of base. @default a process warning */
  warn?: Warn
}

export interface RocketmqSettings {
  readonly lanes: MessageLanes
  readonly warn: Warn
  /** Under a preload: whether the consumers of a topic were to be kept apart. */
  readonly isolates?: (topic: string) => boolean
  /** Told of a version of the client that is not known, which then goes on without lanes. @default throws */
  readonly unknown?: (error: Error) => void
}

/** @throws LanewayError `LANEWAY_INVALID_OPTION`, `LANEWAY_INVALID_TAG` */
export function resolveRocketmqOptions({ warn, ...options }: LaneRocketmqOptions): RocketmqSettings {
  const lanes = createMessageLanes('laneRocketmq', 'rocketmq', options)
  return Object.freeze({ lanes, warn: warn ?? emitLanewayWarning })
}
