import { channel } from 'node:diagnostics_channel'
import type { Lane, LaneProblem } from '@laneway/core'

/**
 * What became of a message.
 *
 * - `own`: handled by a consumer of the message's lane
 * - `base`: handled by a consumer of base: the message has no lane, or no consumer of its lane lives
 * - `stand-in`: handled by a consumer of base that works for a lane without living consumers
 * - `strayed`: handled by a consumer of a lane that is not the message's, because it consumes without isolation
 * - `forwarded`: base moved it to the queue of its lane
 * - `returned`: base moved it to the queue of its lane again: the lane lives and was too slow
 * - `waiting`: base put it aside until a consumer of its lane lives, because of `whenLaneMissing: 'fail'`
 * - `skipped`: left to the other side
 */
export type MessageOutcome = 'own' | 'base' | 'stand-in' | 'strayed' | 'forwarded' | 'returned' | 'waiting' | 'skipped'

/** A message reached a consumer; one event for each, on `laneway:message`. */
export interface MessageEvent {
  /** `amqp`, `bullmq`, `kafka`, `rocketmq`. */
  readonly system: string
  /** The queue or topic, without the suffix of a lane. */
  readonly destination: string
  /** The lane that the handler runs in; `undefined` for none. */
  readonly lane: Lane | undefined
  readonly outcome: MessageOutcome
  /** A value was present and is no lane. The value itself is never shown. */
  readonly problem: LaneProblem | undefined
  /** A tag was present and its sender is not believed. */
  readonly stripped: boolean
  /** A message without a lane came to an instance that belongs to one. */
  readonly escaped: boolean
}

/** The `diagnostics_channel` channel of {@link MessageEvent}. An event is built only while somebody subscribes. */
export const messages = channel('laneway:message')
