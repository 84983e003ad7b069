import { LanewayError } from '@laneway/core'
import type { LaneLedgerView } from '@laneway/messaging/internal'
import { claim } from '../claim.js'
import { announceLane } from '../isolation/announce.js'
import { Gate } from '../isolation/gate.js'
import type { GroupNames } from '../isolation/group-names.js'
import type { LaneConsumerSettings } from '../isolation/isolate-options.js'
import type { LedgerUse } from '../isolation/ledger-use.js'
import type { LogBroker } from '../isolation/log-broker.js'
import { type StandIn, StandIns } from '../isolation/stand-ins.js'
import type { KafkaSettings } from '../lane-kafka-options.js'
import { useAppendTimes } from './append-times.js'
import { inBaseGroup, inLaneGroup } from './assigner.js'
import type { MessageStream, PlatformaticConsumer } from './classes.js'
import { emitInLanes, gateStream } from './gated-stream.js'
import { ledgerStarts } from './ledger-starts.js'
import { Membership } from './membership.js'
import { StandInStreams } from './stand-in-stream.js'

export interface IsolatedStreamsOptions {
  readonly make: (options: object) => PlatformaticConsumer
  /** Of the client's consumer. */
  readonly options: Record<string, unknown>
  readonly names: GroupNames
  readonly wanted: LaneConsumerSettings
  readonly settings: KafkaSettings
  readonly ledger: LedgerUse
}

/** A consumer whose streams keep lanes apart. */
export class IsolatedStreams {
  readonly consumer: PlatformaticConsumer
  readonly #membership: Membership
  readonly #given: IsolatedStreamsOptions
  readonly #own: string | undefined
  readonly #consume: PlatformaticConsumer['consume']
  readonly #close: PlatformaticConsumer['close']
  readonly #closing = new AbortController()
  readonly #gates = new Set<Gate>()
  readonly #standIns = new Set<StandIns>()

  constructor(given: IsolatedStreamsOptions) {
    const { make, options, names, settings } = given
    this.#given = given
    this.#own = settings.lanes.own?.tags[0]
    this.consumer = make(
      this.#own === undefined
        ? { ...options, ...inBaseGroup(options['protocols'] as object[] | undefined) }
        : { ...options, groupId: names.laneGroup(this.#own), ...inLaneGroup('lane') },
    )
    this.#consume = this.consumer.consume.bind(this.consumer)
    this.#close = this.consumer.close.bind(this.consumer)
    useAppendTimes(this.consumer)
    this.#membership = new Membership(this.consumer)
  }

  async consume(options: Record<string, unknown>): Promise<MessageStream> {
    if (options['lanes'] !== undefined || options['mode'] === 'manual') {
      throw new LanewayError(
        'LANEWAY_INVALID_OPTION',
        "createLaneConsumer: an isolated consumer has lanes among its own options, and no stream in mode 'manual', whose " +
          'offsets are not those of the group',
      )
    }
    const { names, ledger } = this.#given
    const view = (await ledger.enter()).viewOf(names.group)
    return this.#own === undefined ? this.#baseStream(options, view) : this.#laneStream(this.#own, options, view)
  }

  async close(force: boolean): Promise<void> {
    this.#closing.abort(new Error('the consumer is closed'))
    for (const gate of this.#gates) gate.close()
    await Promise.all([...this.#standIns].map(one => one.close()))
    await this.#close(force)
    this.#membership.end(false)
    await this.#given.ledger.leave()
  }

  async #baseStream(options: Record<string, unknown>, view: LaneLedgerView): Promise<MessageStream> {
    const { names, wanted, settings, ledger, options: own } = this.#given
    const { group } = names
    const protocols = (options['protocols'] ?? own['protocols']) as object[] | undefined
    const stream = await this.#consume({ ...options, ...inBaseGroup(protocols) })
    const push = stream.push.bind(stream)
    const ownCommits = (options['autocommit'] ?? own['autocommit'] ?? true) === false
    if (options['mode'] === 'committed') this.#membership.follow(options['topics'] as string[], stream)
    this.#gate(
      stream,
      view,
      undefined,
      'base',
      ownCommits && options['mode'] === 'committed' ? this.#membership : undefined,
    )
    emitInLanes(stream, settings.lanes.names)
    if (wanted.whenLaneMissing !== 'base') return stream
    const broker = await ledger.broker()
    const streams = new StandInStreams(stream, push, ownCommits)
    const join = (lane: string) => this.#standIn(lane, options, view, streams, broker)
    const topics = async () => options['topics'] as string[]
    const standIns = new StandIns({ broker, view, group, wanted, topics, join, warn: settings.warn })
    this.#standIns.add(standIns)
    stream.once('close', () => void standIns.close())
    return stream
  }

  async #standIn(
    lane: string,
    options: Record<string, unknown>,
    view: LaneLedgerView,
    streams: StandInStreams,
    broker: LogBroker,
  ): Promise<StandIn> {
    const { make, options: own, names } = this.#given
    const consumer = make({ ...own, groupId: names.laneGroup(lane), ...inLaneGroup('stand-in') })
    useAppendTimes(consumer)
    const membership = new Membership(consumer)
    membership.startAt(ledgerStarts(broker, view, lane))
    try {
      const stream = await consumer.consume({
        ...options,
        ...FROM_COMMITTED,
        ...inLaneGroup('stand-in'),
        autocommit: false,
      })
      membership.follow(options['topics'] as string[], stream)
      const gate = this.#gate(stream, view, lane, 'stand-in', membership)
      const standIn = streams.add(consumer, stream, membership)
      const close = async () => {
        gate.close()
        this.#gates.delete(gate)
        await standIn.close()
      }
      return { ...standIn, close }
    } catch (error) {
      await consumer.close(true).catch(() => {})
      throw error
    }
  }

  async #laneStream(lane: string, options: Record<string, unknown>, view: LaneLedgerView): Promise<MessageStream> {
    const { names, wanted, settings, ledger } = this.#given
    const { group } = names
    const broker = await ledger.broker()
    const topics = async () => options['topics'] as string[]
    const { assumeBase } = wanted
    const { signal } = this.#closing
    const { warn } = settings
    const laneGroup = names.laneGroup(lane)
    await announceLane({ broker, view, group, lane, laneGroup, topics, assumeBase, warn, signal, waits: () => {} })
    this.#membership.startAt(ledgerStarts(broker, view, lane))
    const stream = await this.#consume({ ...options, ...FROM_COMMITTED, ...inLaneGroup('lane') })
    const ownCommits = (options['autocommit'] ?? this.#given.options['autocommit']) === false
    this.#membership.follow(options['topics'] as string[], stream)
    this.#gate(stream, view, lane, 'own', ownCommits ? this.#membership : undefined)
    emitInLanes(stream, settings.lanes.names)
    return stream
  }

  #gate(
    stream: MessageStream,
    view: LaneLedgerView,
    side: string | undefined,
    outcome: 'base' | 'own' | 'stand-in',
    membership?: Membership,
  ): Gate {
    const gate = new Gate(this.#given.settings, view, side, outcome)
    claim(stream)
    gateStream(stream, gate, membership)
    this.#gates.add(gate)
    return gate
  }
}

const FROM_COMMITTED = { mode: 'committed', fallbackMode: 'earliest' } as const
