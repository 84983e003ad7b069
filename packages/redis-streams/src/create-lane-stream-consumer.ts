import { runInLane } from '@laneway/core'
import { isDisabled } from '@laneway/core/internal'
import { connectionOf, persistently, type RedisConnection, warnOfCompetingLane } from '@laneway/messaging/internal'
import { handleInLane } from './decide.js'
import { BaseSide, type OpenReader } from './isolation/base-side.js'
import { LaneSide } from './isolation/lane-side.js'
import { StreamLedger } from './isolation/stream-ledger.js'
import { type LaneStreamOptions, resolveStreamOptions, type StreamSettings } from './lane-stream-options.js'
import { openBeside } from './own-connection.js'
import { GroupReader } from './stream/group-reader.js'

/** A consumer of streams. */
export interface LaneStreamConsumer {
  /** Resolves once it reads, or is closed; in an instance of a lane, once every instance of base leaves the lane's entries to it. */
  ready(): Promise<void>
  /** Takes no more entries, leaves to others those that have not begun, and waits for the handlers that run. */
  close(): Promise<void>
}

interface Side {
  /** @throws what Redis says */
  start(): Promise<void>
  close(): Promise<void>
}

/**
 * Reads streams of Redis as a member of a consumer group, and handles each entry in its lane, none included. With
 * `lanes: 'isolate'` exactly one side handles each entry: instances of the entry's lane while one lives, else those of
 * base. It begins at once, and goes on when Redis comes back.
 *
 * Under `LANEWAY_DISABLE` with `all` or `redis-streams` it handles every entry of the group in no lane.
 *
 * @throws LanewayError `LANEWAY_INVALID_OPTION`, `LANEWAY_INVALID_TAG`
 */
export function createLaneStreamConsumer(options: LaneStreamOptions): LaneStreamConsumer {
  const settings = resolveStreamOptions(options)
  // Its loops and timers outlive the request that happens to make it.
  return runInLane(undefined, () => {
    const connection = connectionOf(settings.client)
    const sides = settings.streams.map(stream => sideOf(stream, connection, settings))
    const abort = new AbortController()
    const { signal } = abort
    const start = (side: Side) => persistently(() => side.start(), settings.failed, signal).catch(() => {})
    const started = Promise.all(sides.map(start))
    let closed: Promise<void> | undefined
    return {
      async ready() {
        await started
      },
      close() {
        abort.abort()
        closed ??= Promise.all(sides.map(side => side.close())).then(() => {})
        return closed
      },
    }
  })
}

function sideOf(stream: string, connection: RedisConnection, settings: StreamSettings): Side {
  const { client, group, consumer, concurrency, claimIdleMs, lanes, failed } = settings
  const openReader: OpenReader = (ofGroup, handle, create) => {
    const open = () => openBeside(client, failed)
    const options = {
      stream,
      group: ofGroup,
      consumer,
      concurrency,
      claimIdleMs,
      connection,
      open,
      handle,
      create,
      failed,
    }
    return new GroupReader(options)
  }
  const create = () => createGroup(connection, stream, settings)
  const isOff = isDisabled(['redis-streams'])
  const ledger = new StreamLedger(connection, stream, group)
  const own = lanes.own?.tags[0]
  if (settings.isolate && !isOff && own !== undefined) return new LaneSide(own, stream, ledger, settings, openReader)
  const side = isOff || !settings.isolate ? plainSide(stream, settings, openReader, create, isOff) : undefined
  const base = side ?? new BaseSide(ledger, settings, openReader, create)
  return {
    async start() {
      await create()
      await base.start()
    },
    close: () => base.close(),
  }
}

function plainSide(
  stream: string,
  settings: StreamSettings,
  openReader: OpenReader,
  create: () => Promise<void>,
  isOff: boolean,
): Side {
  const { lanes, handler, group, warn } = settings
  if (!isOff) warnOfCompetingLane('redis-streams', stream, lanes.own, warn)
  const reader = openReader(
    group,
    async entry => {
      if (!isOff) return handleInLane(entry, settings)
      await handler(entry)
      return 'done'
    },
    create,
  )
  return { start: async () => reader.start(), close: () => reader.close() }
}

async function createGroup(
  connection: RedisConnection,
  stream: string,
  { group, startId }: StreamSettings,
): Promise<void> {
  try {
    await connection.call('XGROUP', 'CREATE', stream, group, startId, 'MKSTREAM')
  } catch (error) {
    if (!String((error as Error)?.message).startsWith('BUSYGROUP')) throw error
  }
}
