import { type Place, placeOf } from '../isolation/log-broker.js'
import type { Method } from '../kafka.js'
import type { PlatformaticConsumer, StreamMessage } from './classes.js'
import { type FetchDone, withoutRecords } from './fetched.js'
import { tickets } from './tickets.js'

/** A partition from one division of the group to the next. */
export interface Holding {
  readonly place: Place
  /** What the group has committed; -1 where it has nothing. */
  committed: bigint
  /** What was handled before this division, and committed since. */
  handled: bigint
  /** Without a commit: the first message that was not delivered. */
  undelivered: bigint | undefined
}

interface PlacedOffset {
  readonly topic: string
  readonly partition: number
  readonly offset: bigint
}

type Done = (error?: unknown, value?: unknown) => void

/** Replaces missing offsets (-1) by those at which the member begins. */
type FillStarts = (offsets: Map<string, bigint[]>) => Promise<void>

const JOIN_AGAIN_MS = 1000
/** As often as the client joins for one commit. */
const COMMIT_TRIES = 3

/** Ends a commit that was refused because the group was divided anew. */
const DIVIDED_ANEW = new Error('the group was divided anew')

/**
 * Keeps what a consumer delivers and commits to the partitions that it holds. After each division of its group the client
 * reads from the committed offsets again. By itself it would also deliver what it has fetched before, and commit messages of
 * partitions that other members have by now, which puts those back.
 */
export class Membership {
  readonly #consumer: PlatformaticConsumer
  readonly #join: Method
  readonly #commit: Method
  /** Topics that are read from committed offsets. */
  readonly #topics = new Set<string>()
  readonly #held = new Map<Place, Holding>()
  readonly #last = new Map<Place, Holding>()
  readonly #commits = new Set<{ readonly turn: number }>()
  readonly #waiting = new Set<() => void>()
  #fillStarts: FillStarts = async () => {}
  #joinOptions: object = {}
  #turn = 0
  #joins = 0
  #isLeaving = false
  #isOver = false
  #dropsCommits = false
  #joinsAgain = false

  constructor(consumer: PlatformaticConsumer) {
    const { joinGroup, commit, fetch, listCommittedOffsets } = consumer as unknown as Record<string, Method>
    this.#consumer = consumer
    this.#join = joinGroup!.bind(consumer)
    this.#commit = commit!.bind(consumer)
    Object.assign(consumer, {
      joinGroup: (options: object | undefined, done?: Done) => this.#joinGroup(options, done),
      commit: (options: { offsets: readonly PlacedOffset[] }, done?: Done) => {
        if (done !== undefined) return this.#commitHeld(options, done)
        return new Promise<void>((resolve, reject) =>
          this.#commitHeld(options, error => (error ? reject(error) : resolve())),
        )
      },
      fetch: (options: { connectionPool?: unknown }, done?: FetchDone) => {
        // Only streams have a pool of their own.
        if (done === undefined || options.connectionPool === undefined) return fetch!.call(consumer, options, done)
        const turn = this.#turn
        return fetch!.call(consumer, options, (error: unknown, fetched: never) =>
          done(error, error || turn === this.#turn ? fetched : withoutRecords(fetched)),
        )
      },
      listCommittedOffsets: (options: { topics: readonly object[] }, done?: Done) => {
        const isOfStream =
          done !== undefined && options.topics.every(topic => consumer.assignments?.includes(topic as never))
        if (!isOfStream) return listCommittedOffsets!.call(consumer, options, done)
        const joins = this.#joins
        this.#startsOf(listCommittedOffsets!, options).then(
          offsets => {
            // After another division the stream asks again.
            if (joins === this.#joins) this.#divided(offsets)
            done(null, offsets)
          },
          error => done(error),
        )
      },
    })
    consumer.on('consumer:group:join', () => {
      this.#turn++
      this.#joins++
      this.#held.clear()
      this.#wake()
    })
    consumer.on('consumer:heartbeat:error', () => this.#joinAgain())
    consumer.on('consumer:rejoin', () => this.#joinAgain())
  }

  /** Follows a stream that reads from committed offsets. */
  follow(topics: readonly string[], stream: { once(event: 'close', listener: () => void): unknown }): void {
    for (const topic of topics) this.#topics.add(topic)
    stream.once('close', () => {
      for (const topic of topics) this.#topics.delete(topic)
      this.#wake()
    })
  }

  /** Before the first stream. */
  startAt(fillStarts: FillStarts): void {
    this.#fillStarts = fillStarts
  }

  /** Delivers nothing more; what was delivered can be committed. */
  leave(): void {
    this.#isLeaving = true
  }

  /** @param dropsCommits - whether commits that come later succeed without effect */
  end(dropsCommits: boolean): void {
    this.#isLeaving = true
    this.#isOver = true
    this.#dropsCommits = dropsCommits
    this.#wake()
  }

  /** @returns `undefined` for a message that is not delivered; the group reads it again */
  holdingOf(message: StreamMessage, place: Place): Holding | undefined {
    const holding = this.#held.get(place)
    if (holding === undefined || !this.isGood(message, holding)) return undefined
    if (holding.committed < 0n) holding.undelivered ??= message.offset
    return holding
  }

  isGood({ offset, topic, partition }: StreamMessage, holding: Holding): boolean {
    return (
      !this.#isLeaving &&
      this.#held.get(holding.place) === holding &&
      offset >= holding.handled &&
      this.#holds(topic, partition)
    )
  }

  /** Before the message waits in a stream of the program. */
  admit(message: StreamMessage, holding: Holding): void {
    tickets.set(message, {
      state: 'open',
      isGood: () => this.isGood(message, holding),
      delivered: () => {
        if (holding.committed < 0n) holding.undelivered = message.offset + 1n
      },
      dropped: () => {},
    })
    const { commit } = message
    message.commit = (done?: Done) => {
      if (done !== undefined) return this.#commitMessage(message, holding, commit, done)
      return new Promise<void>((resolve, reject) =>
        this.#commitMessage(message, holding, commit, error => (error ? reject(error) : resolve())),
      )
    }
  }

  /** In a member that joins again nothing is assigned yet. */
  #holds(topic: string, partition: number): boolean {
    const { assignments } = this.#consumer
    return (
      this.#consumer.isActive() &&
      assignments?.some(one => one.topic === topic && one.partitions.includes(partition)) === true
    )
  }

  async #startsOf(list: Method, options: object): Promise<Map<string, bigint[]>> {
    const offsets: Map<string, bigint[]> = await list.call(this.#consumer, options)
    if ([...offsets.values()].some(partitions => partitions.includes(-1n))) await this.#fillStarts(offsets)
    return offsets
  }

  /** The stream reads from these offsets on. */
  #divided(offsets: Map<string, bigint[]>): void {
    this.#turn++
    for (const [topic, partitions] of offsets) {
      partitions.forEach((committed, partition) => {
        const place = placeOf(topic, partition)
        // Where nothing was committed the client goes on behind what it has fetched.
        const undelivered = this.#last.get(place)?.undelivered
        const holding = { place, committed, handled: 0n, undelivered: undefined }
        if (committed < 0n && undelivered !== undefined) partitions[partition] = undelivered
        this.#held.set(place, holding)
        this.#last.set(place, holding)
      })
    }
    this.#wake()
  }

  #commitMessage(message: StreamMessage, holding: Holding, commit: Method, done: Done): unknown {
    const { topic, partition, offset } = message
    const answered: Done = error => done(this.#dropsCommits ? undefined : error)
    const send = () => commit.call(message, answered)
    if (this.#dropsCommits) return done()
    if (this.#held.get(holding.place) === holding && this.#consumer.isActive()) return send()
    this.#whenDivided([message], () => {
      if (this.#dropsCommits) return done()
      if (this.#isOver) return send()
      const placed = { topic, partition, offset: offset + 1n }
      if (!this.#mayCommit(placed)) return done()
      this.#handled(placed)
      send()
    })
  }

  #commitHeld(options: { offsets: readonly PlacedOffset[] }, done: Done, tries = 1): void {
    const sent = { turn: this.#turn }
    this.#commits.add(sent)
    this.#commit(options, (error: unknown) => {
      this.#commits.delete(sent)
      if (error === DIVIDED_ANEW && tries <= COMMIT_TRIES) {
        this.#whenDivided(options.offsets, () => {
          const offsets = options.offsets.filter(placed => this.#isOver || this.#mayCommit(placed))
          if (offsets.length === 0) return done(null)
          for (const placed of offsets) this.#handled(placed)
          this.#commitHeld({ ...options, offsets }, done, tries + 1)
        })
        return
      }
      if (!error) for (const placed of options.offsets) this.#committed(placed)
      done(error ?? null)
    })
  }

  /** Before the group was divided anew: the stream reads it again. */
  #handled({ topic, partition, offset }: PlacedOffset): void {
    const holding = this.#held.get(placeOf(topic, partition))
    if (holding !== undefined && holding.handled < offset) holding.handled = offset
  }

  #committed({ topic, partition, offset }: PlacedOffset): void {
    const holding = this.#held.get(placeOf(topic, partition))
    if (holding !== undefined && holding.committed < offset) holding.committed = offset
  }

  /** Of what was delivered before a division: a commit that does not take another member's progress back. */
  #mayCommit({ topic, partition, offset }: PlacedOffset): boolean {
    const holding = this.#held.get(placeOf(topic, partition))
    return this.#holds(topic, partition) && offset >= (holding?.committed ?? 0n)
  }

  /** A commit that is refused joins the group again and commits all the same, whoever has the partition then. */
  #joinGroup(options: object = {}, done?: Done): unknown {
    if (done === undefined || Object.keys(options).length > 0 || this.#commits.size === 0) {
      if ('topics' in options) this.#joinOptions = options
      return this.#join(options, done)
    }
    const isBehind = [...this.#commits].some(({ turn }) => turn < this.#turn)
    if (isBehind && this.#consumer.isActive()) return done(DIVIDED_ANEW)
    return this.#join(this.#joinOptions, (error: unknown) => done(error ?? DIVIDED_ANEW))
  }

  /** Version 1 sends no heartbeat after one that has failed, and reads on as if it were in its group. */
  #joinAgain(): void {
    if (this.#joinsAgain || this.#isOver || this.#topics.size === 0 || this.#consumer.isActive()) return
    this.#joinsAgain = true
    setTimeout(() => {
      this.#joinsAgain = false
      if (this.#isOver || this.#topics.size === 0 || this.#consumer.isActive()) return
      this.#join(this.#joinOptions, (error: unknown) => {
        if (error) this.#joinAgain()
      })
    }, JOIN_AGAIN_MS).unref()
  }

  /** Goes on when it is known which of these places the consumer holds, or when the consumer ends. */
  #whenDivided(places: readonly { readonly topic: string; readonly partition: number }[], go: () => void): void {
    const isKnown = () =>
      this.#isOver ||
      places.every(
        ({ topic, partition }) =>
          !this.#topics.has(topic) ||
          (this.#consumer.isActive() && (!this.#holds(topic, partition) || this.#held.has(placeOf(topic, partition)))),
      )
    const wake = () => {
      if (!isKnown()) return
      this.#waiting.delete(wake)
      go()
    }
    this.#waiting.add(wake)
    wake()
  }

  #wake(): void {
    for (const wake of [...this.#waiting]) wake()
  }
}
