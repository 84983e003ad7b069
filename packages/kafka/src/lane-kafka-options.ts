import { LanewayError, type Warn } from '@laneway/core'
import { emitLanewayWarning } from '@laneway/core/internal'
import type { MessageOptions } from '@laneway/messaging'
import { createMessageLanes, type MessageLanes } from '@laneway/messaging/internal'

/** Options of {@link laneKafka}. */
export interface LaneKafkaOptions extends MessageOptions {
  /**
   * Told once when an instance of a lane consumes without isolation, and what an operator of isolated consumers should know.
   * @default a process warning
   */
  warn?: Warn
}

export interface KafkaSettings {
  readonly lanes: MessageLanes
  readonly warn: Warn
  /** Under a preload: whether the consumers of a group keep lanes apart. */
  readonly isolates?: (group: string) => boolean
}

/** @throws LanewayError `LANEWAY_INVALID_OPTION`, `LANEWAY_INVALID_TAG` */
export function resolveKafkaOptions({ warn, ...options }: LaneKafkaOptions): KafkaSettings {
  return Object.freeze({ lanes: createMessageLanes('laneKafka', 'kafka', options), warn: warn ?? emitLanewayWarning })
}

/** Who asks for isolation must not get less without a word. @throws LanewayError `LANEWAY_INVALID_OPTION` */
export function refuseIsolation(options: unknown): void {
  if ((options as { lanes?: unknown } | undefined)?.lanes === undefined) return
  throw new LanewayError(
    'LANEWAY_INVALID_OPTION',
    "laneKafka: lanes belongs to the options of the consumer itself: kafka.consumer({ groupId, lanes: 'isolate' }) of " +
      "kafkajs, createLaneConsumer({ lanes: 'isolate', … }) for @platformatic/kafka",
  )
}
