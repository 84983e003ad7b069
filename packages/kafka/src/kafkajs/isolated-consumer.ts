import { LanewayError, runInLane } from '@laneway/core'
import type { LaneLedgerView } from '@laneway/messaging/internal'
import { announceLane } from '../isolation/announce.js'
import { deliveries } from '../isolation/delivery.js'
import { Gate } from '../isolation/gate.js'
import { groupNames } from '../isolation/group-names.js'
import type { LaneConsumerSettings } from '../isolation/isolate-options.js'
import type { LedgerUse } from '../isolation/ledger-use.js'
import { type StandIn, StandIns } from '../isolation/stand-ins.js'
import { StartOffsets } from '../isolation/start-offsets.js'
import type { KafkajsConsumer } from '../kafka.js'
import type { KafkaSettings } from '../lane-kafka-options.js'
import { laneAssigner, marked, markedRoundRobin, type PartitionAssigner } from './assigners.js'
import { gatedRun, type RunConfig } from './gated-run.js'
import { Pauses } from './pauses.js'
import { Subscriptions } from './subscriptions.js'

export interface IsolatedConsumerOptions {
  /** Makes a consumer without lanes. */
  readonly make: (config: Record<string, unknown>) => KafkajsConsumer
  /** The program's options of the consumer. */
  readonly config: Record<string, unknown>
  readonly wanted: LaneConsumerSettings
  readonly settings: KafkaSettings
  readonly ledger: LedgerUse
}

/** What runs between `run` and the end of a consumer. */
interface Running {
  readonly gate: Gate
  readonly closing: AbortController
  standIns: StandIns | undefined
  /** In a lane whose base is not ready. */
  waiting: Promise<void> | undefined
}

/**
 * Makes a consumer of kafkajs that keeps lanes apart: in base one in the program's group, which stands in for lanes without
 * consumers; in a lane one in the lane's group.
 *
 * @throws LanewayError `LANEWAY_INVALID_OPTION`
 */
export function createIsolatedConsumer(options: IsolatedConsumerOptions): KafkajsConsumer {
  const { make, config, wanted, settings, ledger } = options
  const { group, laneGroup } = groupNames('laneKafka', config['groupId'], wanted)
  const own = settings.lanes.own?.tags[0]
  const assigners = (config['partitionAssigners'] as PartitionAssigner[] | undefined)?.map(marked)
  const consumer = make(
    own === undefined
      ? { ...config, partitionAssigners: assigners ?? [markedRoundRobin] }
      : { ...config, groupId: laneGroup(own), partitionAssigners: [laneAssigner('lane')] },
  )
  assertKafkajs(consumer)
  const { subscribe, run, stop, disconnect, seek, pause, resume, commitOffsets } = consumer
  const subscriptions = new Subscriptions()
  const pauses = new Pauses()
  let running: Running | undefined
  let starts: StartOffsets | undefined

  async function runBase(runConfig: RunConfig, view: LaneLedgerView, gate: Gate): Promise<StandIns | undefined> {
    await run.call(consumer, gatedRun(runConfig, { consumer, gate }))
    if (wanted.whenLaneMissing !== 'base') return undefined
    const broker = await ledger.broker()
    const topics = () => subscriptions.topics(broker)
    const join = (lane: string) => standIn(lane, runConfig, view)
    return new StandIns({ broker, view, group, wanted, topics, join, warn: settings.warn })
  }

  async function standIn(lane: string, runConfig: RunConfig, view: LaneLedgerView): Promise<StandIn> {
    const joined = make({ ...config, groupId: laneGroup(lane), partitionAssigners: [laneAssigner('stand-in')] })
    const gate = new Gate(settings, view, lane, 'stand-in')
    const offsets = new StartOffsets(await ledger.broker(), view, lane, laneGroup(lane))
    let isOver = false
    joined.on(joined.events.GROUP_JOIN, () => offsets.assigned())
    joined.on(joined.events.CRASH, ({ payload }) => {
      isOver = payload.restart === false
    })
    const close = async () => {
      gate.close()
      pauses.leave(joined)
      await joined.disconnect()
    }
    try {
      await joined.connect()
      await subscriptions.repeat(joined)
      const delivery = { group, laneGroup: laneGroup(lane), consumer: joined }
      await joined.run(gatedRun(runConfig, { consumer: joined, gate, starts: offsets, delivery }))
      pauses.join(joined)
    } catch (error) {
      await close().catch(() => {})
      throw error
    }
    return { close, isOver: () => isOver }
  }

  async function runLane(
    lane: string,
    runConfig: RunConfig,
    view: LaneLedgerView,
    { gate, closing }: Running,
    waits: () => void,
  ): Promise<void> {
    const broker = await ledger.broker()
    const ownGroup = laneGroup(lane)
    starts = new StartOffsets(broker, view, lane, ownGroup)
    const { signal } = closing
    const topics = () => subscriptions.topics(broker)
    const { assumeBase } = wanted
    const { warn } = settings
    await announceLane({ broker, view, group, lane, laneGroup: ownGroup, topics, assumeBase, warn, signal, waits })
    const delivery = { group, laneGroup: ownGroup, consumer: undefined }
    await run.call(consumer, gatedRun(runConfig, { consumer, gate, starts, delivery }))
  }

  /** The program goes on where the lane has to wait for base. */
  async function untilRunsOrWaits(lane: string, runConfig: RunConfig, view: LaneLedgerView, begun: Running) {
    let isWaiting = false
    await new Promise<void>((resolve, reject) => {
      begun.waiting = runLane(lane, runConfig, view, begun, () => {
        isWaiting = true
        resolve()
      })
      begun.waiting.then(resolve, reject)
    })
    if (!isWaiting) return
    begun.waiting!.catch(error => {
      if (!begun.closing.signal.aborted)
        settings.warn(`kafka: lane ${lane} of "${group}" cannot consume: ${error?.message}`)
    })
  }

  async function end(): Promise<void> {
    const ending = running
    running = undefined
    if (ending === undefined) return
    ending.closing.abort(new Error('the consumer stops'))
    ending.gate.close()
    await ending.waiting?.catch(() => {})
    await ending.standIns?.close()
  }

  const delivered = () => deliveries.getStore()?.consumer
  consumer.on(consumer.events.GROUP_JOIN, () => starts?.assigned())
  consumer.on(consumer.events.CRASH, ({ payload }) => {
    if (payload.restart === false) end().then(() => ledger.leave())
  })
  return Object.assign(consumer, {
    subscribe(subscription: Record<string, unknown>) {
      subscriptions.add(subscription)
      return subscribe.call(consumer, own === undefined ? subscription : { ...subscription, fromBeginning: true })
    },
    run: (runConfig: RunConfig = {}) =>
      // Loops and timers start here: they belong to no lane.
      runInLane(undefined, async () => {
        if (running !== undefined) return
        const view = (await ledger.enter()).viewOf(group)
        const gate = new Gate(settings, view, own, own === undefined ? 'base' : 'own')
        const begun: Running = { gate, closing: new AbortController(), standIns: undefined, waiting: undefined }
        running = begun
        try {
          if (own === undefined) begun.standIns = await runBase(runConfig, view, gate)
          else await untilRunsOrWaits(own, runConfig, view, begun)
        } catch (error) {
          await end()
          await ledger.leave()
          throw error
        }
      }),
    async stop() {
      await end()
      await stop.call(consumer)
      await ledger.leave()
    },
    async disconnect() {
      await end()
      await disconnect.call(consumer)
      await ledger.leave()
    },
    seek(place: { topic: string; partition: number; offset: string }) {
      const other = delivered()
      if (other !== undefined) return other.seek(place)
      starts?.sought(place.topic, place.partition)
      return seek.call(consumer, place)
    },
    pause(topics: never) {
      pauses.pause(topics)
      return pause.call(consumer, topics)
    },
    resume(topics: never) {
      pauses.resume(topics)
      return resume.call(consumer, topics)
    },
    commitOffsets(offsets: never) {
      return delivered()?.commitOffsets(offsets) ?? commitOffsets.call(consumer, offsets)
    },
  })
}

/** Clients in the form of kafkajs, such as that of Confluent, take no assigner that is written in JavaScript. */
function assertKafkajs({ events, on }: KafkajsConsumer): void {
  if (typeof on === 'function' && typeof events?.GROUP_JOIN === 'string') return
  throw new LanewayError(
    'LANEWAY_INVALID_OPTION',
    "laneKafka: lanes is 'isolate', which needs an assigner of partitions in JavaScript: use kafkajs 2 for this consumer, or " +
      'leave lanes out',
  )
}
