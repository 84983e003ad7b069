import { backoffMs } from '@laneway/core/internal'
import type { Clock } from '../clock.js'
import type { EndpointLoad, LoadListener } from './endpoint-load.js'
import type { Group } from './group.js'
import type { LaneTable } from './lane-table.js'
import type { Member } from './member.js'

/** Passive ejection of endpoints that cannot be connected to, or do not answer in time. */
export interface OutlierOptions {
  /**
   * Failures in a row that eject an endpoint: no connection, or no answer within the caller's time.
   * @default 5, as Envoy's: one lost packet is no outage
   */
  readonly consecutiveFailures?: number
  /**
   * Length of the first ejection in milliseconds; doubles with each ejection that no success follows.
   * @default 1000, because a restarted instance should not wait long for its traffic
   */
  readonly ejectionMs?: number
  /**
   * Longest ejection in milliseconds.
   * @default 30000
   */
  readonly maxEjectionMs?: number
  /**
   * Largest share of the endpoints of base, or of one lane, that is ejected at a time. One endpoint of a lane may always
   * be, when it cannot be connected to: base is behind it. The last of base never is, and timeouts never eject the last
   * usable endpoint of base or of a lane: how long an answer may take is the caller's choice.
   * @default 0.5, because losing half is rather this client's network than the endpoints
   */
  readonly maxEjectedShare?: number
}

/** Told when an endpoint is ejected or comes back. */
export type EjectionListener = (state: 'ejected' | 'returned', address: string) => void

/**
 * The ejected endpoints of one service, and those on trial after it. Work happens when something fails or returns, never
 * in a pick: a timer that holds no process open readmits, or, with an injected clock, the first pick after the time has
 * passed.
 */
export class OutlierEjection implements LoadListener {
  readonly #options: Required<OutlierOptions>
  readonly #clock: Clock
  readonly #table: () => LaneTable | undefined
  readonly #memberOf: (address: string) => Member | undefined
  readonly #listener: EjectionListener
  /** Ejected or on trial. */
  readonly #waiting = new Set<EndpointLoad>()
  #nextReturn = Number.POSITIVE_INFINITY
  #timer: NodeJS.Timeout | undefined
  /** Whether picks have to look at the clock. */
  polls = false

  /**
   * @param table - the table in use
   * @param memberOf - the endpoint in it that has an address
   */
  constructor(
    options: Required<OutlierOptions>,
    clock: Clock,
    table: () => LaneTable | undefined,
    memberOf: (address: string) => Member | undefined,
    listener: EjectionListener,
  ) {
    this.#options = options
    this.#clock = clock
    this.#table = table
    this.#memberOf = memberOf
    this.#listener = listener
  }

  /** A response began: the failures of the past say nothing any more. */
  succeeded(load: EndpointLoad): void {
    if (load.failures === 0 || load.ejected) return
    if (load.onTrial) {
      this.#endTrial(load)
      this.#waiting.delete(load)
      this.#plan()
    }
    load.forgive()
  }

  /**
   * There was no connection, or no answer in time.
   *
   * @param timeout - there was a connection: a caller decides how long it waits, so this alone empties no lane
   */
  failed(load: EndpointLoad, timeout: boolean): void {
    const table = this.#table()
    // Requests that began before the ejection fail late and say nothing new.
    const member = this.#memberOf(load.address)
    if (load.ejected || member === undefined || table === undefined) return
    const { consecutiveFailures } = this.#options
    load.failures++
    if (!timeout) load.connectFailures++
    if (load.failures < consecutiveFailures) return
    const groups = table.groupsOf(member)
    if (!groups.every(group => this.#mayEject(group))) return
    const byTimeouts = load.connectFailures < consecutiveFailures
    if (byTimeouts && !groups.every(group => group.hasUsableBeside(load))) return
    if (load.onTrial) this.#endTrial(load)
    load.ejected = true
    load.ejectedByTimeouts = byTimeouts
    load.until = this.#clock.now() + this.#lengthOf(load.ejections)
    load.ejections++
    this.#waiting.add(load)
    // All seats of an endpoint agree in what the groups ask of them.
    const seat = member.seats[0]!
    for (const group of groups) group.seatEjected(seat)
    this.#plan()
    this.#listener('ejected', load.address)
    if (!byTimeouts) this.#readmitLast()
  }

  /** Puts on trial what has served its time, and readmits those whose trial nothing has decided. */
  returnDue(): void {
    const now = this.#clock.now()
    if (now < this.#nextReturn) return
    const table = this.#table()
    const groups = new Set<Group>()
    const returned: string[] = []
    for (const load of this.#waiting) {
      if (load.until > now) continue
      if (load.onTrial) {
        this.#endTrial(load)
        this.#waiting.delete(load)
        continue
      }
      load.ejected = false
      // The next failure ejects again, a success forgives all.
      load.failures = this.#options.consecutiveFailures - 1
      if (!load.ejectedByTimeouts) load.connectFailures = load.failures
      // One request at a time finds out: all of its share would wait for an instance that is still frozen. As long as the
      // next ejection, so that a caller's patience that outlasts one trial does not outlast those that follow.
      load.startTrial()
      load.until = now + this.#lengthOf(load.ejections)
      const member = this.#memberOf(load.address)
      if (member === undefined || table === undefined) continue
      for (const group of table.groupsOf(member)) groups.add(group)
      returned.push(load.address)
    }
    for (const group of groups) group.seatsReturned()
    this.#plan()
    for (const address of returned) this.#listener('returned', address)
  }

  /** A new table is in use: forget what left it, or was forgiven by it. */
  tableChanged(): void {
    for (const load of this.#waiting) {
      const here = this.#memberOf(load.address) !== undefined
      if (!here || !(load.ejected || load.onTrial)) this.#waiting.delete(load)
    }
    this.#readmitLast()
  }

  close(): void {
    this.#waiting.clear()
    this.#plan()
  }

  #lengthOf(ejections: number): number {
    return backoffMs(ejections, this.#options.ejectionMs, this.#options.maxEjectionMs)
  }

  /** Readmits in full what was ejected by timeouts and is now the last usable endpoint of base or of a lane. */
  #readmitLast(): void {
    const table = this.#table()
    const returned: string[] = []
    for (const load of this.#waiting) {
      const member = this.#memberOf(load.address)
      if (table === undefined || !load.ejectedByTimeouts || member?.seats[0]?.fit !== true) continue
      const groups = table.groupsOf(member)
      if (groups.every(group => group.hasUsableBeside(load))) continue
      const { ejected } = load
      if (load.onTrial) this.#endTrial(load)
      load.forgive()
      this.#waiting.delete(load)
      if (!ejected) continue
      for (const group of groups) group.seatsReturned()
      returned.push(load.address)
    }
    this.#plan()
    for (const address of returned) this.#listener('returned', address)
  }

  #endTrial(load: EndpointLoad): void {
    load.endTrial()
    const table = this.#table()
    const member = this.#memberOf(load.address)
    if (member === undefined || table === undefined) return
    for (const group of table.groupsOf(member)) group.trialEnded(member.seats[0]!)
  }

  #mayEject(group: Group): boolean {
    const most = Math.floor(group.enabled * this.#options.maxEjectedShare)
    return group.ejected < (group.tag === undefined ? most : Math.max(1, most))
  }

  #plan(): void {
    let next = Number.POSITIVE_INFINITY
    for (const load of this.#waiting) next = Math.min(next, load.until)
    this.#nextReturn = next
    const waits = next !== Number.POSITIVE_INFINITY
    this.polls = waits && this.#clock.injected
    clearTimeout(this.#timer)
    this.#timer = undefined
    if (waits && !this.#clock.injected) {
      this.#timer = setTimeout(
        () => {
          // Timers count from the start of a turn of the event loop, so after a long one they are early.
          if (this.#clock.now() < this.#nextReturn) this.#plan()
          else this.returnDue()
        },
        next - this.#clock.now() + 1,
      )
      this.#timer.unref()
    }
  }
}
