import { LanewayError, runInLane } from '@laneway/core'
import { isDisabled } from '@laneway/core/internal'
import { persistently, warnOfCompetingLane } from '@laneway/messaging/internal'
import { readLane } from './decide.js'
import { BaseSide, type OpenReader } from './isolation/base-side.js'
import { GroupReader, type GroupReaderOptions } from './isolation/group-reader.js'
import { handleInLane, laneFilter } from './isolation/isolated-message.js'
import { LaneSide } from './isolation/lane-side.js'
import {
  type LaneConsumerOptions,
  type LaneConsumerSettings,
  resolveLaneConsumerOptions,
} from './lane-consumer-options.js'

/** A consumer of topics. */
export interface LaneConsumer {
  /** Resolves once it receives, or is closed; in an instance of a lane, once the lane's messages come to it. */
  ready(): Promise<void>
  /** Takes no more messages, leaves to others those that have not begun, and waits for the handlers that run. */
  close(): Promise<void>
}

interface Side {
  /** @throws what the ledger says */
  start(): Promise<void>
  close(): Promise<void>
}

/** SQL92, in the client's protocol. */
const SQL = 2

/**
 * Receives the messages of a group by simple consumers of rocketmq-client-nodejs, and handles each in its lane, none
 * included. With `lanes: 'isolate'` exactly one side handles each message: instances of the message's lane while one
 * lives, else those of base. It begins at once.
 *
 * Under `LANEWAY_DISABLE` with `all` or `rocketmq` it handles every message of the group in no lane.
 *
 * @throws LanewayError `LANEWAY_INVALID_OPTION`, `LANEWAY_INVALID_TAG`
 */
export function createLaneConsumer(options: LaneConsumerOptions): LaneConsumer {
  const settings = resolveLaneConsumerOptions(options)
  // Its loops and timers outlive the request that happens to make it.
  return runInLane(undefined, () => {
    const side = sideOf(settings)
    const abort = new AbortController()
    const started = persistently(() => side.start(), settings.failed, abort.signal).catch(() => {})
    let closed: Promise<void> | undefined
    return {
      ready: () => started,
      close() {
        abort.abort()
        closed ??= side.close()
        return closed
      },
    }
  })
}

function sideOf(settings: LaneConsumerSettings): Side {
  const { lanes, isolate, ledger, subscriptions, handler, warn } = settings
  const isOff = isDisabled(['rocketmq'])
  const openReader: OpenReader = (lane, handle) => readerOf(settings, lane, handle)
  if (isolate && !isOff) {
    if (ledger === undefined) {
      throw new LanewayError(
        'LANEWAY_INVALID_OPTION',
        "createLaneConsumer: lanes is 'isolate' and ledger is missing; give ledger: createRedisLedger(redis), in base and " +
          'in lanes alike',
      )
    }
    const own = lanes.own?.tags[0]
    return own === undefined
      ? new BaseSide(ledger, settings, openReader)
      : new LaneSide(own, ledger, settings, openReader)
  }
  if (!isOff) {
    warnOfCompetingLane('rocketmq', [...subscriptions.keys()].join(','), lanes.own, warn)
  }
  const reader = readerOf(settings, undefined, async message => {
    if (isOff) {
      await handler(message)
      return 'done'
    }
    const decision = readLane(message, lanes)
    return handleInLane({ message, decision }, settings, lanes.outcomeOf(decision))
  })
  return {
    async start() {
      reader.start()
      await reader.reads()
    },
    close: () => reader.close(),
  }
}

/** @param lane - whose group is read; `undefined` for that of base */
function readerOf(
  settings: LaneConsumerSettings,
  lane: string | undefined,
  handle: GroupReaderOptions['handle'],
): GroupReader {
  const { rocketmq, client, subscriptions, filter, awaitMs, concurrency, invisibleMs, failed } = settings
  const { SimpleConsumer, FilterExpression } = rocketmq
  const consumerGroup = lane === undefined ? settings.consumerGroup : `${settings.consumerGroup}_${lane}`
  const filters = [...subscriptions].map(([topic, given]): [string, unknown] => [
    topic,
    lane !== undefined && filter === 'sql' && given === '*' ? new FilterExpression(laneFilter(lane), SQL) : given,
  ])
  const open = () =>
    new SimpleConsumer({ ...client, consumerGroup, subscriptions: new Map(filters), awaitDuration: awaitMs })
  return new GroupReader({ open, rounds: subscriptions.size + 1, concurrency, invisibleMs, handle, failed })
}
