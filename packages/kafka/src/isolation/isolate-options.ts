import {
  callback,
  flag,
  milliseconds,
  type OptionTable,
  type OptionValues,
  oneOf,
  readOptions,
} from '@laneway/core/internal'
import { defaultLaneGroup } from '@laneway/messaging/internal'

/** Names the group of a lane. */
export type LaneGroup = (group: string, lane: string) => string

/** What a consumer of Kafka takes besides the options of its client; the same in base and in lanes. */
export interface LaneConsumerOptions {
  /**
   * `propagate`: each message is handled in its lane, on whichever instance takes it. `isolate`: messages of a lane go to
   * the instances of the lane while one lives; say so in instances of base and of lanes alike.
   * @default 'propagate', because nothing about who consumes changes
   */
  lanes?: 'propagate' | 'isolate'
  /**
   * Under `isolate`, what becomes of a lane's messages while no consumer of the lane lives: base stands in, or they wait in
   * the log.
   * @default 'base'
   */
  whenLaneMissing?: 'base' | 'fail'
  /**
   * Under `isolate`: how long a lane has had no consumer when base stands in, in milliseconds. A value above the time of a
   * restart keeps restarts inside the lane.
   * @default 0, which is two looks
   */
  standInAfterMs?: number
  /** Under `isolate`: the group of a lane. @default `(group, lane) => group + '_' + lane`, as MSE names it */
  laneGroup?: LaneGroup
  /**
   * Under `isolate`, in a lane: begins even where members of base's group do not say that they keep lanes apart.
   * @default false, because a base without Laneway handles the lane's messages as well
   */
  assumeBase?: boolean
  /**
   * Under `isolate`, in base: ends a lane that has had no consumer for this long, in milliseconds. Below the broker's
   * `offsets.retention.minutes`.
   * @default 86400000, a day
   */
  endAfterMs?: number
}

const TABLE = {
  lanes: oneOf(['propagate', 'isolate'], undefined),
  whenLaneMissing: oneOf(['base', 'fail'], 'base'),
  standInAfterMs: milliseconds(0),
  laneGroup: callback<LaneGroup, LaneGroup>(defaultLaneGroup),
  assumeBase: flag(false),
  endAfterMs: milliseconds(86_400_000, 60_000),
} satisfies OptionTable<LaneConsumerOptions>

export type LaneConsumerSettings = OptionValues<typeof TABLE>

/**
 * Divides the options of a consumer into ours and those of the client.
 *
 * @throws LanewayError `LANEWAY_INVALID_OPTION`
 */
export function divideConsumerOptions(
  where: string,
  options: object = {},
): { readonly wanted: LaneConsumerSettings; readonly rest: Record<string, unknown> } {
  const ours: Record<string, unknown> = {}
  const rest: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(options)) (Object.hasOwn(TABLE, name) ? ours : rest)[name] = value
  return { wanted: readOptions(where, ours, TABLE), rest }
}
