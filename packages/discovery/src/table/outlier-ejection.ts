import { backoffMs } from '@laneway/core/internal'
import type { Clock } from '../clock.js'
import { ClockTimer } from '../clock-timer.js'
import type { EndpointLoad, LoadListener } from './endpoint-load.js'
import type { Group } from './group.js'
import type { LaneTable } from './lane-table.js'
import type { Member } from './member.js'
import type { OutlierOptions } from './outlier-options.js'
import { SoftEjection } from './soft-ejection.js'

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
  readonly #countsStatus: boolean
  readonly #soft: SoftEjection
  readonly timer: ClockTimer

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
    this.timer = new ClockTimer(clock, now => this.#returnDue(now))
    this.#soft = new SoftEjection(clock, options.maxEjectionMs)
    this.#countsStatus = options.consecutive5xx > 0 || options.consecutiveGatewayErrors > 0
  }

  /** A response began: the failures of the past say nothing any more, unless its status is one. */
  responded(load: EndpointLoad, status: number): void {
    if (status >= 500 && this.#countsStatus) this.#answeredBadly(load, status)
    else if (!load.ejected) this.#forgive(load)
  }

  #forgive(load: EndpointLoad): void {
    if (load.failures === 0 && load.serverErrors === 0) return
    if (load.onTrial) {
      this.#endTrial(load)
      this.#waiting.delete(load)
      this.#plan()
    }
    load.forgive()
  }

  /** Each kind counts for itself, as in Envoy: a 500 ends a series of gateway errors. */
  #answeredBadly(load: EndpointLoad, status: number): void {
    if (load.ejected) return
    const { consecutive5xx, consecutiveGatewayErrors } = this.#options
    const { serverErrors, gatewayErrors } = load
    // It can be connected to, and that was the question of this trial.
    if (!load.ejectedForStatus) this.#forgive(load)
    load.serverErrors = serverErrors + 1
    load.gatewayErrors = status >= 502 && status <= 504 ? gatewayErrors + 1 : 0
    const isIll =
      isTimesOf(load.serverErrors, consecutive5xx) || isTimesOf(load.gatewayErrors, consecutiveGatewayErrors)
    if (isIll) this.#eject(load, 'status')
  }

  /**
   * There was no connection, or no answer in time.
   *
   * @param timeout - there was a connection: a caller decides how long it waits, so this alone empties no lane
   */
  failed(load: EndpointLoad, timeout: boolean): void {
    // Requests that began before the ejection fail late and say nothing new.
    if (load.ejected || this.#memberOf(load.address) === undefined) return
    const { consecutiveFailures } = this.#options
    load.failures++
    if (!timeout) load.connectFailures++
    if (load.connectFailures >= consecutiveFailures) this.#eject(load, 'connect')
    else if (isTimesOf(load.failures, consecutiveFailures)) this.#eject(load, 'timeout')
  }

  #eject(load: EndpointLoad, why: 'connect' | 'timeout' | 'status'): void {
    const table = this.#table()
    const member = this.#memberOf(load.address)
    if (member === undefined || table === undefined) return
    const groups = table.groupsOf(member)
    const softly = why !== 'connect'
    if (!groups.every(group => this.#mayEject(group) && (!softly || this.#soft.allows(group, load)))) {
      load.failing = true
      const harmed = groups.filter(group => this.#soft.harms(group))
      if (harmed.length > 0) this.#readmit(its => its.some(group => harmed.includes(group)))
      return
    }
    if (load.onTrial) this.#endTrial(load)
    load.ejected = true
    load.ejectedSoftly = softly
    load.ejectedForStatus = why === 'status'
    load.until = this.#clock.now() + this.#lengthOf(load.ejections)
    load.ejections++
    this.#waiting.add(load)
    // All seats of an endpoint agree in what the groups ask of them.
    const seat = member.seats[0]!
    for (const group of groups) group.seatEjected(seat)
    this.#plan()
    this.#listener('ejected', load.address)
    if (!softly) this.#readmitLast()
  }

  /** Puts on trial what has served its time, and readmits those whose trial nothing has decided. */
  #returnDue(now: number): void {
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
      if (!load.ejectedSoftly) load.connectFailures = load.failures
      if (load.ejectedForStatus) {
        load.serverErrors = Math.max(1, this.#options.consecutive5xx - 1)
        load.gatewayErrors = Math.max(0, this.#options.consecutiveGatewayErrors - 1)
      }
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
    const table = this.#table()
    if (table !== undefined) this.#soft.tableChanged(table.lanes)
    this.#readmitLast()
  }

  close(): void {
    this.#waiting.clear()
    this.#plan()
  }

  #lengthOf(ejections: number): number {
    return backoffMs(ejections, this.#options.ejectionMs, this.#options.maxEjectionMs)
  }

  /** Readmits what is now the last usable endpoint of base or of a lane. */
  #readmitLast(): void {
    this.#readmit((groups, load) => !groups.every(group => group.hasUsableBeside(load)))
  }

  /** Readmits in full what was ejected by timeouts or statuses, or is on trial after it. */
  #readmit(which: (groups: readonly Group[], load: EndpointLoad) => boolean): void {
    const table = this.#table()
    const returned: string[] = []
    for (const load of this.#waiting) {
      const member = this.#memberOf(load.address)
      if (table === undefined || !load.ejectedSoftly || member?.seats[0]?.fit !== true) continue
      const groups = table.groupsOf(member)
      if (!which(groups, load)) continue
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
    this.timer.plan(next)
  }
}

/** Tries again after as many further failures, and not with each, because a try looks at the whole group. */
function isTimesOf(count: number, times: number): boolean {
  return count > 0 && times > 0 && count % times === 0
}
