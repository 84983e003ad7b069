import { isTag, LanewayError } from '@laneway/core'
import { describe } from '@laneway/core/internal'
import type { RedisClient } from '@laneway/messaging'
import { connectionOf, isRedisClient } from '@laneway/messaging/internal'
import { StreamLedger } from './stream-ledger.js'

/** A lane of a consumer group on a stream. */
export interface StreamLane {
  readonly stream: string
  /** Of base. */
  readonly group: string
  readonly lane: string
}

/**
 * Ends a lane at once: base owns what is added from now on, and reads what the lane has left. Without it a lane ends when
 * it has had no consumer for `endAfterMs`. A consumer of the lane that still lives begins it again with its next beat.
 *
 * @returns whether the lane was going on
 * @throws LanewayError `LANEWAY_INVALID_OPTION`, and what Redis says
 */
export async function endStreamLane(client: RedisClient, { stream, group, lane }: StreamLane): Promise<boolean> {
  if (!isRedisClient(client) || !isTag(lane)) {
    throw new LanewayError(
      'LANEWAY_INVALID_OPTION',
      `endStreamLane takes a client of Redis and { stream, group, lane }, received the lane ${describe(lane)}`,
    )
  }
  return new StreamLedger(connectionOf(client), stream, group).end(lane)
}
